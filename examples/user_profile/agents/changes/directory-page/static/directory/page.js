// The directory page: the own entry, a new name, and the way out.

import { currentSession } from "../session.js";
import { createApi } from "./api.js";

const find = (id) => document.querySelector(`[data-testid='${id}']`);
const session = currentSession();
const api = createApi(session?.token);

async function show() {
  const entry = await api.getEntry(session.userId);
  find("entry-name").textContent = entry.display_name.trim();
  find("entry-since").textContent = entry.member_since.slice(0, 4);
  find("entry-change").textContent = entry.last_change.slice(0, 10);
}

async function attempt(action) {
  try {
    await action();
    await show();
  } catch (error) {
    find("page-status").textContent = error.message;
  }
}

find("rename-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => api.rename(session.userId, find("input-name").value));
});
find("leave-btn").addEventListener("click", () => attempt(() => api.leave(session.userId)));
if (session) attempt(async () => {});
else location.assign("./");
