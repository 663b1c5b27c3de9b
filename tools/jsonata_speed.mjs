// The same as `stepwell-bench jsonata`, with the JavaScript reference: one line {"id", "ns"} per case.
//   node tools/jsonata_speed.mjs PACKAGE_FOLDER CASES.jsonl DATASETS.json
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, casesPath, datasetsPath] = process.argv.slice(2);
const jsonata = createRequire(`${packages}/package.json`)("jsonata");
const datasets = JSON.parse(readFileSync(datasetsPath, "utf8"));
const kRoundMs = 10;
const kRounds = 3;

async function evaluate(expression, about) {
  const input = typeof about.dataset === "string" ? datasets[about.dataset] : about.data;
  try {
    await expression.evaluate(input, about.bindings);
  } catch {
    // An evaluation that fails is timed, too.
  }
}

for (const line of readFileSync(casesPath, "utf8").split("\n")) {
  if (!line) continue;
  const about = JSON.parse(line);
  // A recursion without end: the reference has no bound of its own and dies of it.
  if (about.code === "U1001") continue;
  let expression;
  try {
    expression = jsonata(about.expr);
  } catch {
    continue;
  }
  let best = Infinity;
  for (let round = 0; round < kRounds; ++round) {
    const begin = process.hrtime.bigint();
    let times = 0;
    do {
      for (let i = 0; i < 4; ++i, ++times) await evaluate(expression, about);
    } while (process.hrtime.bigint() - begin < BigInt(kRoundMs) * 1000000n);
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / times);
  }
  console.log(JSON.stringify({ id: about.id, ns: best }));
}
