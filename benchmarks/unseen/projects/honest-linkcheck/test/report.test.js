'use strict';
const assert = require('node:assert/strict');
const { it } = require('node:test');
const { fmt } = require('../lib/report.js');

it('fmt: plural and singular', () => {
  assert.equal(fmt({ files: 1, links: 0, problems: [] }), '1 file, 0 links, 0 problems\n');
});

it('fmt: one line a problem', () => {
  const problems = [{ file: 'a.md', line: 3, target: 'b.md', reason: 'no such file' }];
  assert.equal(fmt({ files: 1, links: 1, problems }), 'a.md:3: b.md: no such file\n1 file, 1 link, 1 problem\n');
});
