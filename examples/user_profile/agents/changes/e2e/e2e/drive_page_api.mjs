// Take the page's own api.js from the running server, and go through a profile with it.
// node drive_page_api.mjs BASE_URL TOKEN USER_ID EMAIL

import assert from "node:assert/strict";

const [baseUrl, token, userId, email] = process.argv.slice(2);
const source = await (await fetch(`${baseUrl}/app/profile/api.js`)).text();
const { ApiError, createApi } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
const api = createApi({ token, baseUrl });

const before = await api.getProfile(userId);
assert.equal(before.email, email);
const after = await api.updateProfile(userId, { name: "Driven by the page's script", email, bio: null });
assert.equal(after.id, userId);

const png = new Uint8Array(64);
png.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const { avatar_url: avatarUrl } = await api.uploadAvatar(userId, new Blob([png]));
assert.equal((await api.getProfile(userId)).avatar_url, avatarUrl);

const refused = (status) => (error) => error instanceof ApiError && error.status === status;
await assert.rejects(api.uploadAvatar(userId, new Blob(["text"])), refused(415));
await assert.rejects(createApi({ token: "none", baseUrl }).getProfile(userId), refused(401));
