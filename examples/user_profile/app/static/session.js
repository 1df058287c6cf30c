// Signing in: the token lives in sessionStorage, so it ends with the tab.

const KEY = "members.session";

/** @returns {{token: string, userId: string} | null} who is signed in */
export function currentSession() {
  const stored = globalThis.sessionStorage?.getItem(KEY);
  return stored ? JSON.parse(stored) : null;
}

/** Forget who is signed in. */
export function signOut() {
  globalThis.sessionStorage?.removeItem(KEY);
}

/**
 * Exchange address and password for a token.
 * @param {string} email
 * @param {string} password
 * @returns {Promise<{token: string, userId: string}>}
 */
export async function signIn(email, password) {
  const response = await fetch("/api/auth/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  if (!response.ok) throw new Error("Address or password is wrong.");
  const answer = await response.json();
  const session = { token: answer.access_token, userId: answer.user_id };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

const form = globalThis.document?.querySelector("[data-testid='sign-in-form']");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const status = document.querySelector("[data-testid='sign-in-status']");
  try {
    await signIn(form.elements.email.value, form.elements.password.value);
    status.textContent = "Signed in.";
    form.dispatchEvent(new CustomEvent("signed-in", { bubbles: true }));
  } catch (error) {
    status.textContent = error.message;
  }
});
