// The page's modules, run without a browser: node --test tests/frontend/profile.test.mjs (node 18 or newer)

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/** Load a module whatever the nearest package.json says about .js files. */
async function load(name) {
  const source = await readFile(new URL(`../../static/profile/${name}`, import.meta.url), "utf8");
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}

const { ApiError, createApi } = await load("api.js");
const { LIMITS, problems, rules } = await load("validation.js");
const valid = { name: "Someone", email: "someone@example.org", bio: "" };

test("a valid form has no problems", () => assert.deepEqual(problems(valid), {}));

test("limits hold at their edges", () => {
  assert.equal(rules.name("n".repeat(LIMITS.name.max)), "");
  assert.notEqual(rules.name("n".repeat(LIMITS.name.max + 1)), "");
  assert.notEqual(rules.name("   "), "");
  assert.equal(rules.bio("\u{1F600}".repeat(LIMITS.bio.max)), "");
  assert.equal(rules.bio("b".repeat(LIMITS.bio.max + 2)), "2 characters too many.");
  assert.equal(rules.avatar({ type: "image/png", size: LIMITS.avatar.maxBytes }), "");
  assert.notEqual(rules.avatar({ type: "image/png", size: LIMITS.avatar.maxBytes + 1 }), "");
});

test("every problem is told at once", () => {
  const found = problems({ name: "", email: "nobody", bio: "", avatar: { type: "text/plain", size: 1 } });
  assert.deepEqual(Object.keys(found).sort(), ["avatar", "email", "name"]);
});

test("requests carry method, path, token and body", async () => {
  const sent = [];
  const fetch = async (url, init) => (sent.push([url, init]), Response.json({ avatar_url: "/x" }));
  const api = createApi({ token: "t", baseUrl: "http://host", fetch });
  await api.updateProfile("a/b", valid);
  await api.uploadAvatar("1", new Blob(["x"]));
  const [[url, put], [, post]] = sent;
  assert.equal(url, "http://host/api/profile/a%2Fb");
  assert.equal(put.method, "PUT");
  assert.equal(put.headers.Authorization, "Bearer t");
  assert.deepEqual(JSON.parse(put.body), valid);
  assert.ok(post.body.get("avatar"));
});

test("a refusal becomes an error with words", async () => {
  const api = createApi({ token: "t", fetch: async () => new Response("{}", { status: 429 }) });
  await assert.rejects(api.getProfile("1"), (error) => error instanceof ApiError && error.status === 429 && /later/.test(error.message));
});
