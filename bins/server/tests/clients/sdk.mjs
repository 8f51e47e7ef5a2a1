// The official JavaScript package, unmodified, as its readme uses it.
//
//   node sdk.mjs MODULES    reads the facts from standard input
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { default: OpenAI } = await import(pathToFileURL(`${process.argv[2]}/openai/index.mjs`));
const facts = JSON.parse(readFileSync(0, "utf8"));
const { model } = facts;

const clientOf = (token, options) => new OpenAI({ baseURL: `${facts.url}/v1`, apiKey: token, ...options });

const firstOf = (tenant) => `To "${facts.first}": the code is ${tenant.marker} [1]. Another says so.`;
const secondOf = (tenant) => `You asked for ${tenant.marker}; the vault of ${tenant.marker} is amber [1].`;

function checkCitations(tenant, citations) {
  assert.equal(citations.length, 1);
  assert.equal(citations[0].number, 1);
  assert.equal(citations[0].document_id, tenant.document);
  assert.ok(citations[0].excerpt.includes(tenant.marker));
}

async function ask(tenant, client, messages) {
  const stream = await client.chat.completions.create({
    model, messages, stream: true, stream_options: { include_usage: true },
  });
  let text = "", grounds, usage;
  const reasons = [];
  for await (const chunk of stream) {
    assert.ok(!JSON.stringify(chunk).includes(tenant.foreign));
    const choice = chunk.choices[0];
    if (!choice) {
      usage = chunk.usage;
      continue;
    }
    assert.equal(chunk.usage, null);
    text += choice.delta.content ?? "";
    grounds = choice.delta.tenantry ?? grounds;
    if (choice.finish_reason) reasons.push(choice.finish_reason);
  }
  assert.deepEqual(reasons, ["stop"]);
  assert.deepEqual(usage, {
    prompt_tokens: 120, completion_tokens: 12, total_tokens: 132, tenantry: { estimated: false },
  });
  assert.equal(grounds.supported, true);
  checkCitations(tenant, grounds.citations);
  return text;
}

async function converse(tenant) {
  const client = clientOf(tenant.token);
  const models = [];
  for await (const one of client.models.list()) models.push(one.id);
  assert.deepEqual(models, [model]);
  assert.equal((await client.models.retrieve(model)).owned_by, "tenantry");
  const opening = [{ role: "developer", content: "Be brief." }, { role: "user", content: [{ type: "text", text: facts.first }] }];
  const text = await ask(tenant, client, opening);
  assert.equal(text, firstOf(tenant));
  const second = { role: "user", content: facts.second };
  assert.equal(await ask(tenant, client, [...opening, { role: "assistant", content: text }, second]), secondOf(tenant));
  // In one piece, and on with the message as the package gave it.
  const answer = await client.chat.completions.create({ model, messages: opening, temperature: 0.5 });
  assert.ok(answer._request_id);
  const { message } = answer.choices[0];
  assert.equal(message.content, firstOf(tenant));
  checkCitations(tenant, message.tenantry.citations);
  const next = await client.chat.completions.create({ model, messages: [...opening, message, second] });
  assert.equal(next.choices[0].message.content, secondOf(tenant));
  // The helper that adds chunks up.
  const added = await client.chat.completions.stream({ model, messages: opening }).finalChatCompletion();
  assert.equal(added.choices[0].message.content, firstOf(tenant));
  checkCitations(tenant, added.choices[0].message.tenantry.citations);
  const off = await client.chat.completions.create({ model, messages: opening, tenantry: { retrieval: false } });
  assert.deepEqual(off.choices[0].message.tenantry, { citations: [], supported: false });
}

async function expect(kind, status, code, param, attempt) {
  await assert.rejects(attempt, (error) => {
    assert.equal(error.constructor, kind);
    assert.deepEqual([error.status, error.code, error.param ?? null], [status, code, param]);
    assert.ok(error.requestID);
    return true;
  });
}

async function fail(tenant) {
  const client = clientOf(tenant.token);
  const create = (more) => client.chat.completions.create({ model, messages: [{ role: "user", content: facts.first }], ...more });
  await expect(OpenAI.AuthenticationError, 401, "invalid_api_key", null, () => clientOf("sk-wrong").models.list());
  await expect(OpenAI.NotFoundError, 404, "model_not_found", "model", () => create({ model: "gpt-9" }));
  await expect(OpenAI.NotFoundError, 404, "model_not_found", "model", () => create({ model: "gpt-9", stream: true }));
  await expect(OpenAI.BadRequestError, 400, "invalid_request", "temperature", () => create({ temperature: 3 }));
  await expect(OpenAI.BadRequestError, 400, "unsupported_parameter", "n", () => create({ n: 2 }));
  await expect(OpenAI.BadRequestError, 400, "unknown_parameter", "x", () => create({ x: 1 }));
  const refused = [{ role: "user", content: "javascript: no access to the vault" }];
  await expect(OpenAI.InternalServerError, 502, "llm_unauthorized", null, () => create({ messages: refused }));
  let text = "";
  const broken = async () => {
    const messages = [{ role: "user", content: "break off the vault" }];
    for await (const chunk of await create({ messages, stream: true })) {
      text += chunk.choices[0].delta.content ?? "";
      assert.equal(chunk.choices[0].finish_reason, null);
    }
  };
  await assert.rejects(broken, (error) => error.constructor === OpenAI.APIError && typeof error.code === "string");
  assert.ok(text.startsWith("To \"break off"), text);
}

/** One answer at a time: the second is refused, and comes once the first has been left. */
async function waitInTurn() {
  const stalled = { model, messages: [{ role: "user", content: "stall the vault" }], tenantry: { retrieval: false }, stream: true };
  const held = await clientOf(facts.narrow).chat.completions.create(stalled);
  await held[Symbol.asyncIterator]().next();
  const short = { model, messages: [{ role: "user", content: facts.first }] };
  const impatient = clientOf(facts.narrow, { maxRetries: 0 });
  await expect(OpenAI.RateLimitError, 429, "rate_limit_exceeded", null, () => impatient.chat.completions.create(short));
  held.controller.abort();
  const answer = await clientOf(facts.narrow, { maxRetries: 5 }).chat.completions.create(short);
  assert.equal(answer.choices[0].finish_reason, "stop");
}

await Promise.all(facts.tenants.map(converse));
await fail(facts.tenants[0]);
await waitInTurn();
