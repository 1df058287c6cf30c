'use strict';

function plural(number, word) {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

function fmt(result) {
  const lines = result.problems.map((p) => `${p.file}:${p.line}: ${p.target}: ${p.reason}`);
  const counts = [plural(result.files, 'file'), plural(result.links, 'link'), plural(result.problems.length, 'problem')];
  lines.push(counts.join(', '));
  return lines.join('\n') + '\n';
}

module.exports = { fmt };
