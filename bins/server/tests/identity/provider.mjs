// An OpenID provider (the package oidc-provider) for as many people as ask. Its keys are changed, and tokens signed that it would never
// issue, by requests below /control.
//
// Usage: node provider.mjs MODULES PORT NAME, where MODULES is the folder node_modules that the package is in.
import { createPrivateKey, createSign, generateKeyPairSync, randomUUID, sign as signWith } from "node:crypto";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, name] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(resolve(modules, "oidc-provider/lib/index.js")));
const issuer = `http://127.0.0.1:${port}/${name}`;
const RESOURCE = "https://rag.example.org/";
const KINDS = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

/** Who is known here: by their log-in, what their tokens say. */
const people = new Map();

function newKeys() {
  return Object.entries(KINDS).map(([alg, make]) => ({
    ...make().privateKey.export({ format: "jwk" }),
    kid: `${alg}-${randomUUID()}`,
    use: "sig",
    alg,
  }));
}

function client(alg) {
  return {
    client_id: `tenantry-${alg}`,
    token_endpoint_auth_method: "none",
    redirect_uris: [`http://127.0.0.1:${port}/back`],
    response_types: ["code"],
    grant_types: ["authorization_code"],
    id_token_signed_response_alg: alg,
    application_type: "native",
  };
}

function provider(keys) {
  const made = new Provider(issuer, {
    clients: Object.keys(KINDS).map(client),
    jwks: { keys },
    cookies: { keys: ["a key of these tests"] },
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "email", "email_verified", "groups", "org"] },
    enabledJWA: { idTokenSigningAlgValues: Object.keys(KINDS) },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    extraTokenClaims: (_, token) => people.get(token.accountId) ?? {},
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "openid", audience: "tenantry-api", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
      },
    },
    ttl: { AccessToken: 3600, IdToken: 3600, AuthorizationCode: 60, Grant: 3600, Interaction: 600, Session: 600 },
  });
  return { keys, handle: made.callback() };
}

let current = provider(newKeys());

/** A token of any claims, signed with a key of the provider by its algorithm. */
function signed(alg, claims) {
  const jwk = current.keys.find((key) => key.alg === alg);
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const message = `${encode({ alg, typ: "JWT", kid: jwk.kid })}.${encode(claims)}`;
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const signature = {
    RS256: () => createSign("RSA-SHA256").update(message).sign(key),
    ES256: () => createSign("SHA256").update(message).sign({ key, dsaEncoding: "ieee-p1363" }),
    EdDSA: () => signWith(null, Buffer.from(message), key),
  }[alg]();
  return `${message}.${signature.toString("base64url")}`;
}

const controls = {
  "/control/people": ({ login, claims }) => void people.set(login, claims),
  // As a provider does it: the new key is published, and the old one still is.
  "/control/roll": () => void (current = provider([...newKeys(), ...current.keys])),
  "/control/sign": ({ alg, claims }) => signed(alg, claims),
  "/control/resource": () => RESOURCE,
};

createServer(async (request, response) => {
  const control = controls[request.url];
  if (control) {
    let body = "";
    for await (const piece of request) body += piece;
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(control(JSON.parse(body || "{}")) ?? null));
  }
  // The provider stands below a path, as most do.
  if (request.url.startsWith(`/${name}/`)) {
    request.originalUrl = request.url;
    request.url = request.url.slice(name.length + 1);
  }
  return current.handle(request, response);
}).listen(Number(port), "127.0.0.1");
