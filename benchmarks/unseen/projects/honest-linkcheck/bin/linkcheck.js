#!/usr/bin/env node
'use strict';
const { main } = require('../lib/cli.js');

process.exitCode = main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
