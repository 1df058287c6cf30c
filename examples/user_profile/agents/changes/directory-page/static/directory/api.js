// The directory page's side of the API.

/** @typedef {{id: string, display_name: string, member_since: string, last_change: string}} Entry */

/** What the page calls, and the refusals it has words for. Kept as plain JSON, so that tests can read it. */
export const ENDPOINTS = {
  "getEntry": { "method": "GET", "path": "/api/directory/{user_id}", "errors": [401, 404, 422] },
  "rename": { "method": "PUT", "path": "/api/directory/{user_id}/name", "errors": [401, 403, 404, 409, 422] },
  "leave": { "method": "DELETE", "path": "/api/directory/{user_id}", "errors": [401, 404, 422] }
};

/** What the page says for each of them. */
export const MESSAGES = {
  "401": "Sign in first.",
  "403": "Only the own name can be changed.",
  "404": "There is no such member.",
  "409": "Somebody else has this name.",
  "422": "This name is not valid."
};

/** @param {string} token */
export function createApi(token) {
  async function call(name, userId, body) {
    const { method, path } = ENDPOINTS[name];
    const response = await fetch(path.replace("{user_id}", encodeURIComponent(userId)), {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(MESSAGES[response.status] ?? "The server cannot answer right now.");
    return response.json();
  }
  return {
    /** @returns {Promise<Entry>} */
    getEntry: (userId) => call("getEntry", userId),
    /** @returns {Promise<{name: string}>} */
    rename: (userId, name) => call("rename", userId, { name }),
    /** @returns {Promise<{id: string}>} */
    leave: (userId) => call("leave", userId),
  };
}
