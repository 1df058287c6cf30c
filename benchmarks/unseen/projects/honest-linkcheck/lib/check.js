'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { extractLinks } = require('./extract.js');

const EXTERNAL = /^[a-z][a-z0-9+.-]*:/i;

/**
 * @typedef {{file: string, line: number, target: string, reason: string}} Problem
 */

/**
 * @param {string[]} files
 * @returns {{files: number, links: number, problems: Problem[]}}
 */
function checkFiles(files) {
  const result = { files: files.length, links: 0, problems: [] };
  for (const file of files) {
    for (const { line, target } of extractLinks(fs.readFileSync(file, 'utf8'))) {
      if (EXTERNAL.test(target)) continue;
      result.links++;
      const reason = problemOf(file, target);
      if (reason) result.problems.push({ file, line, target, reason });
    }
  }
  return result;
}

function problemOf(file, target) {
  const [place] = target.split('#');
  if (place === '') return null;
  const full = path.join(path.dirname(file), decodeURIComponent(place));
  return fs.existsSync(full) ? null : 'no such file';
}

module.exports = { checkFiles };
