// Every file must parse; no tabs, no line over 120 characters.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

let bad = 0;
for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.js')) continue;
    const path = join(folder, name);
    const done = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
    if (done.status !== 0) { console.log(done.stderr); bad++; }
    readFileSync(path, 'utf8').split('\n').forEach((line, i) => {
      if (line.includes('\t') || line.length > 120) { console.log(`${path}:${i + 1}: style`); bad++; }
    });
  }
}
process.exit(bad ? 1 : 0);
