// What the form accepts: said while typing, before the server is asked.

/** The limits of the form. Kept as plain JSON, so that tests can read it. */
export const LIMITS = {
  "name": { "min": 1, "max": 100 },
  "email": { "max": 254 },
  "bio": { "max": 500 },
  "avatar": { "maxBytes": 5242880, "types": ["image/jpeg", "image/png", "image/gif"] }
};

const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** Count characters as the server does: by code points. */
const count = (text) => [...text].length;

/** Each answers with what is wrong, or with an empty string. */
export const rules = {
  name(value) {
    const length = count(value.trim());
    if (length < LIMITS.name.min) return "Tell us a name.";
    return length > LIMITS.name.max ? `A name has at most ${LIMITS.name.max} characters.` : "";
  },
  email(value) {
    if (!EMAIL.test(value)) return "This is not an email address.";
    return count(value) > LIMITS.email.max ? `An address has at most ${LIMITS.email.max} characters.` : "";
  },
  bio(value) {
    const over = count(value) - LIMITS.bio.max;
    return over > 0 ? `${over} characters too many.` : "";
  },
  avatar(file) {
    if (!file) return "";
    if (!LIMITS.avatar.types.includes(file.type)) return "Choose a jpg, png or gif.";
    return file.size > LIMITS.avatar.maxBytes ? "A picture has at most 5 MB." : "";
  },
};

/**
 * Check a whole form.
 * @param {{name: string, email: string, bio: string, avatar?: File}} values
 * @returns {Record<string, string>} what is wrong, by field; empty when all is well
 */
export function problems(values) {
  const found = Object.entries(rules).map(([field, rule]) => [field, rule(values[field])]);
  return Object.fromEntries(found.filter(([, problem]) => problem));
}
