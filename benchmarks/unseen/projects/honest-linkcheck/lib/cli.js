'use strict';
const { checkFiles } = require('./check.js');
const { findMarkdown } = require('./files.js');
const { fmt } = require('./report.js');

/**
 * @param {string[]} argv
 * @param {{out: (text: string) => void, err: (text: string) => void}} io
 * @returns {number} the exit code
 */
function main(argv, io) {
  const places = argv.filter((word) => !word.startsWith('--'));

  const unknown = argv.find((word) => word.startsWith('--'));
  if (unknown) {
    io.err(`unknown option ${unknown}\n`);
    return 2;
  }
  if (!places.length) {
    io.err('usage: linkcheck FILE-OR-FOLDER...\n');
    return 2;
  }
  let files;
  try {
    files = findMarkdown(places);
  } catch (error) {
    io.err(`${error.message}\n`);
    return 2;
  }

  const result = checkFiles(files);

  io.out(fmt(result));
  return result.problems.length ? 1 : 0;
}

module.exports = { main };
