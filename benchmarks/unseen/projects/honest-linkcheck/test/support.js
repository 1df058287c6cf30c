'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** A folder with the given files that goes away with the test. */
function tmp(t, files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'linkcheck-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const full = path.join(root, name);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, text);
  }
  return root;
}

module.exports = { tmp };
