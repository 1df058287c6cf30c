'use strict';
const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { extractLinks } = require('../lib/extract.js');

describe('extractLinks', () => {
  it('finds links and images with their lines', () => {
    assert.deepEqual(extractLinks('a [b](c.md)\n\n![d](e.png "title") [f](g.md)'), [
      { line: 1, target: 'c.md' }, { line: 3, target: 'e.png' }, { line: 3, target: 'g.md' },
    ]);
  });

  it('skips inline code', () => {
    assert.deepEqual(extractLinks('as in `[text](target)` here'), []);
  });

  it('skips fenced blocks of both kinds', () => {
    assert.deepEqual(extractLinks('```\n[a](b)\n~~~\n```\n~~~\n[c](d)\n~~~\n[e](f)'), [{ line: 8, target: 'f' }]);
  });

  it('skips indented code', () => {
    assert.deepEqual(extractLinks('    [a](b)'), []);
  });
});
