'use strict';
const fs = require('node:fs');
const path = require('node:path');

/** All markdown files below the given files and folders, sorted. */
function findMarkdown(places) {
  const found = new Set();
  const visit = (place) => {
    if (fs.statSync(place).isDirectory()) {
      for (const name of fs.readdirSync(place)) {
        if (name !== 'node_modules' && !name.startsWith('.')) visit(path.join(place, name));
      }
    } else if (place.endsWith('.md')) {
      found.add(path.normalize(place));
    }
  };
  places.forEach(visit);
  return [...found].sort();
}

module.exports = { findMarkdown };
