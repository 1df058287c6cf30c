// The profile's side of the API: every request the page makes goes through here.

/**
 * @typedef {{id: string, name: string, email: string, bio: string | null, avatar_url: string | null}} Profile
 * @typedef {{name: string, email: string, bio: string | null}} ProfileUpdate
 * @typedef {{avatar_url: string}} AvatarUpload
 */

/** What the page calls, and the refusals it has words for. Kept as plain JSON, so that tests can read it. */
export const ENDPOINTS = {
  "getProfile": { "method": "GET", "path": "/api/profile/{user_id}", "errors": [401, 403, 404, 422] },
  "updateProfile": { "method": "PUT", "path": "/api/profile/{user_id}", "errors": [401, 403, 404, 409, 422, 429] },
  "uploadAvatar": { "method": "POST", "path": "/api/profile/{user_id}/avatar", "errors": [401, 403, 404, 413, 415, 422] }
};

/** What the page says for each of them. */
export const MESSAGES = {
  "401": "Sign in first.",
  "403": "This profile is not yours to see or change.",
  "404": "There is no such member.",
  "409": "This address is already in use.",
  "413": "The picture is too large.",
  "415": "The picture must be a jpg, png or gif.",
  "422": "Something in the form is not valid.",
  "429": "Too many changes for now; try again later."
};

/** A refusal, with its status and a sentence for the reader. */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail what the server said */
  constructor(status, detail) {
    super(MESSAGES[status] ?? "The server cannot answer right now.");
    this.status = status;
    this.detail = detail;
  }
}

/**
 * Make a client of the API.
 * @param {{token: string, baseUrl?: string, fetch?: typeof globalThis.fetch}} options
 */
export function createApi({ token, baseUrl = "", fetch = globalThis.fetch }) {
  /** @param {keyof typeof ENDPOINTS} name @param {string} userId @param {RequestInit} [init] */
  async function call(name, userId, init = {}) {
    const { method, path } = ENDPOINTS[name];
    const response = await fetch(baseUrl + path.replace("{user_id}", encodeURIComponent(userId)), {
      ...init,
      method,
      headers: { ...init.headers, Authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new ApiError(response.status, await response.text());
    return response.json();
  }

  return {
    /** @returns {Promise<Profile>} */
    getProfile: (userId) => call("getProfile", userId),

    /** @param {string} userId @param {ProfileUpdate} profile @returns {Promise<Profile>} */
    updateProfile: (userId, profile) =>
      call("updateProfile", userId, {
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(profile),
      }),

    /** @param {string} userId @param {File} file @returns {Promise<AvatarUpload>} */
    uploadAvatar: (userId, file) => {
      const body = new FormData();
      body.append("avatar", file);
      return call("uploadAvatar", userId, { body });
    },
  };
}
