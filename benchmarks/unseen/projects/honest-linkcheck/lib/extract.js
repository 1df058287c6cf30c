'use strict';

const LINK = /!?\[([^\]]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g;

/**
 * Lines of the text without what is code: fenced blocks become empty lines, inline code becomes blanks.
 * @param {string} text
 * @returns {string[]}
 */
function proseLines(text) {
  let fence = null;
  return text.split('\n').map((line) => {
    const mark = line.match(/^\s*(```|~~~)/);
    if (mark && (fence === null || fence === mark[1])) {
      fence = fence === null ? mark[1] : null;
      return '';
    }
    if (fence !== null || /^ {4}/.test(line)) return '';
    return line.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length));
  });
}

/**
 * @param {string} text
 * @returns {{line: number, target: string}[]}
 */
function extractLinks(text) {
  const links = [];
  proseLines(text).forEach((line, i) => {
    for (const match of line.matchAll(LINK)) links.push({ line: i + 1, target: match[2] });
  });
  return links;
}

module.exports = { extractLinks, proseLines };
