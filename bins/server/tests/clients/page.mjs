// Serves page.html at an origin of its own and has Chromium run it.
//
//   node page.mjs MODULES CHROMIUM PORT    reads the facts from standard input
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { normalize } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, executablePath, port] = process.argv.slice(2);
const { chromium } = (await import(pathToFileURL(`${modules}/playwright-core/index.mjs`))).default;
const facts = JSON.parse(readFileSync(0, "utf8"));

const types = { html: "text/html", js: "text/javascript", mjs: "text/javascript" };
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://page").pathname);
  const file = path === "/" ? new URL("page.html", import.meta.url) : `${modules}${path}`;
  const type = types[path === "/" ? "html" : path.split(".").pop()];
  try {
    if (!type) throw new Error("neither a page nor a module");
    const body = readFileSync(file);
    response.writeHead(200, { "content-type": type }).end(body);
  } catch {
    // Browsers ask for an icon.
    const isIcon = path === "/favicon.ico";
    if (!isIcon) console.error(`the page wants ${path}, which is not there`);
    response.writeHead(isIcon ? 204 : 404).end();
  }
});
await new Promise((ready) => server.listen(Number(port), "127.0.0.1", ready));

// The page is ours alone, and a sandbox cannot be made where this runs as root.
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  page.on("console", (message) => console.error(`page: ${message.text()}`));
  await page.goto(`http://127.0.0.1:${port}/`);
  const outcome = await page.evaluate((facts) => window.converse(facts), facts);
  if (outcome !== "done") throw new Error(outcome);
} finally {
  await browser.close();
  server.close();
}
