// The profile page: shows a profile, and edits it in place.

import { currentSession, signOut } from "../session.js";
import { createApi } from "./api.js";
import { problems, rules } from "./validation.js";

const find = (id) => document.querySelector(`[data-testid='${id}']`);
const view = find("profile-view");
const form = find("profile-form");
const session = currentSession();
const api = session && createApi({ token: session.token });
let profile = null;

/** Say something in the status line; an ended session leads back to signing in. */
function say(text, error) {
  find("page-status").textContent = text;
  if (error?.status === 401) {
    signOut();
    location.assign("./");
  }
}

function showPicture(image, url) {
  image.hidden = !url;
  if (url) image.src = url;
  else image.removeAttribute("src");
}

function showProfile() {
  showPicture(find("profile-avatar"), profile.avatar_url);
  find("profile-name").textContent = profile.name;
  find("profile-email").textContent = profile.email;
  find("profile-bio").textContent = profile.bio ?? "";
  form.hidden = true;
  view.hidden = false;
}

function clearPreview() {
  const preview = find("avatar-preview");
  if (preview.src) URL.revokeObjectURL(preview.src);
  showPicture(preview, null);
}

function showForm() {
  form.reset();
  clearPreview();
  form.elements.name.value = profile.name;
  form.elements.email.value = profile.email;
  form.elements.bio.value = profile.bio ?? "";
  showProblems({});
  view.hidden = true;
  form.hidden = false;
  form.elements.name.focus();
}

function showProblems(found) {
  for (const field of Object.keys(rules)) {
    find(`error-${field}`).textContent = found[field] ?? "";
    form.elements[field].setAttribute("aria-invalid", String(field in found));
  }
}

function values() {
  const { name, email, bio, avatar } = form.elements;
  return { name: name.value, email: email.value, bio: bio.value, avatar: avatar.files[0] };
}

async function save(event) {
  event.preventDefault();
  const given = values();
  const found = problems(given);
  showProblems(found);
  if (Object.keys(found).length) return;
  find("save-profile-btn").disabled = true;
  try {
    const update = { name: given.name.trim(), email: given.email, bio: given.bio || null };
    profile = await api.updateProfile(session.userId, update);
    if (given.avatar) profile = { ...profile, ...(await api.uploadAvatar(session.userId, given.avatar)) };
    showProfile();
    say("Saved.");
  } catch (error) {
    say(error.message, error);
  } finally {
    find("save-profile-btn").disabled = false;
  }
}

find("edit-profile-btn").addEventListener("click", showForm);
find("cancel-btn").addEventListener("click", showProfile);
form.addEventListener("input", () => showProblems(problems(values())));
form.addEventListener("submit", save);
form.elements.avatar.addEventListener("change", () => {
  clearPreview();
  const file = form.elements.avatar.files[0];
  if (file && !rules.avatar(file)) showPicture(find("avatar-preview"), URL.createObjectURL(file));
});

if (!session) {
  location.assign("./");
} else {
  try {
    profile = await api.getProfile(session.userId);
    showProfile();
    say("");
  } catch (error) {
    say(error.message, error);
  }
}
