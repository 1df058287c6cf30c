'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { main } = require('../lib/cli.js');
const { tmp } = require('./support.js');

function run(...argv) {
  const said = { out: '', err: '' };
  const code = main(argv, { out: (text) => { said.out += text; }, err: (text) => { said.err += text; } });
  return { code, ...said };
}

describe('main', () => {
  it('exits with 0 when all is well', (t) => {
    const root = tmp(t, { 'a.md': '[b](b.md)', 'b.md': '' });
    assert.deepEqual(run(root), { code: 0, out: '2 files, 1 link, 0 problems\n', err: '' });
  });

  it('exits with 1 and says where', (t) => {
    const root = tmp(t, { 'a.md': '[b](b.md)' });
    const { code, out } = run(root);
    assert.equal(code, 1);
    assert.ok(out.startsWith(`${path.join(root, 'a.md')}:1: b.md: no such file\n`));
  });

  it('exits with 2 without arguments', () => {
    assert.equal(run().code, 2);
  });

  it('exits with 2 for an unknown option', () => {
    assert.match(run('--dance', 'x').err, /unknown option --dance/);
  });

  it('exits with 2 when a place does not exist', () => {
    assert.equal(run('/nowhere/at/all').code, 2);
  });

  it('skips hidden folders and other files', (t) => {
    const root = tmp(t, { '.git/a.md': '[b](b.md)', 'c.txt': '[b](b.md)' });
    assert.equal(run(root).out, '0 files, 0 links, 0 problems\n');
  });
});
