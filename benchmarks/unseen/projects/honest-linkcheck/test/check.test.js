'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { checkFiles } = require('../lib/check.js');
const { tmp } = require('./support.js');

const check = (root, ...names) => checkFiles(names.map((name) => path.join(root, name)));

describe('checkFiles', () => {
  it('is content when the target is there', (t) => {
    const root = tmp(t, { 'a.md': '[b](sub/b.md)', 'sub/b.md': '[a](../a.md)' });
    assert.deepEqual(check(root, 'a.md', 'sub/b.md'), { files: 2, links: 2, problems: [] });
  });

  it('reports a missing file', (t) => {
    const root = tmp(t, { 'a.md': '\n[b](b.md)' });
    const [problem] = check(root, 'a.md').problems;
    assert.equal(problem.line, 2);
    assert.equal(problem.reason, 'no such file');
  });

  it('does not look at external links', (t) => {
    const root = tmp(t, { 'a.md': '[b](https://b.test/) [c](mailto:c@b.test)' });
    assert.equal(check(root, 'a.md').links, 0);
  });

  it('decodes targets', (t) => {
    const root = tmp(t, { 'a.md': '[b](b%20c.md)', 'b c.md': '' });
    assert.deepEqual(check(root, 'a.md').problems, []);
  });

  it('takes any anchor', (t) => {
    const root = tmp(t, { 'a.md': '[b](b.md#nowhere) [c](#nowhere)', 'b.md': '# B' });
    assert.deepEqual(check(root, 'a.md').problems, []);
  });
});
