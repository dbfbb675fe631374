/**
 * A strict parser of the text form of Prometheus, 0.0.4: what it does not know, it refuses.
 *
 * @module
 */

/** What a text says. */
export interface ParsedMetrics {
  /** By name and sorted labels, as JSON. */
  readonly samples: Map<string, number>;
  readonly helps: Map<string, string>;
  readonly types: Map<string, string>;
}

const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (NaN|[+-]Inf|-?[\d.]+(?:e[+-]?\d+)?)$/;

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
}

function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

/** The buckets of each histogram grow, end in infinity, and agree with its count. */
function checkHistograms({ samples, types }: ParsedMetrics): void {
  for (const [key, count] of samples) {
    const name = key.slice(0, key.indexOf("["));
    if (!name.endsWith("_count") || types.get(name.slice(0, -6)) !== "histogram") continue;
    const labels = JSON.parse(key.slice(name.length)) as [string, string][];
    const buckets = [...samples].flatMap(([other, value]) => {
      if (!other.startsWith(`${name.slice(0, -6)}_bucket[`)) return [];
      const all = JSON.parse(other.slice(other.indexOf("["))) as [string, string][];
      const rest = all.filter(([label]) => label !== "le");
      if (JSON.stringify(rest) !== JSON.stringify(labels)) return [];
      return [{ le: numberOf(all.find(([label]) => label === "le")?.[1] as string), value }];
    });
    const isRising = buckets.every(({ le, value }, at) => {
      const before = buckets[at - 1];
      return before === undefined || (le > before.le && value >= before.value);
    });
    const last = buckets.at(-1);
    if (!isRising || last?.le !== Number.POSITIVE_INFINITY || last.value !== count) {
      throw new Error(`the buckets of ${key} are wrong`);
    }
  }
}

/** Reads a text. @throws Error for whatever the format does not allow. */
export function parsePrometheus(text: string): ParsedMetrics {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const parsed: ParsedMetrics = { samples: new Map(), helps: new Map(), types: new Map() };
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) ([\w:]+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) {
      const known = kind === "HELP" ? parsed.helps : parsed.types;
      if (known.has(name)) throw new Error(`${kind} of ${name} comes twice`);
      if (kind === "TYPE" && family !== name) throw new Error(`HELP of ${name} is not before it`);
      if (kind === "TYPE" && !/^(counter|gauge|histogram)$/.test(rest)) throw new Error(line);
      known.set(name, unescaped(rest));
      family = name;
      continue;
    }
    const match = SAMPLE.exec(line);
    if (match === null) throw new Error(`not a line of metrics: ${line}`);
    const [, sample = "", written = "", value = ""] = match;
    const suffix = parsed.types.get(family) === "histogram" ? /_(bucket|sum|count)$/ : /$^/;
    if (sample.replace(suffix, "") !== family) throw new Error(`${sample} is not of ${family}`);
    const labels = [...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, label = "", text = ""]) => [label, unescaped(text)],
    );
    const key = `${sample}${JSON.stringify(labels.sort())}`;
    if (parsed.samples.has(key)) throw new Error(`${key} comes twice`);
    parsed.samples.set(key, numberOf(value));
  }
  checkHistograms(parsed);
  return parsed;
}
