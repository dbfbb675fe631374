/**
 * Checks histories of transactions for serializability: draws who depends on whom, and looks for cycles.
 *
 *     ww   T wrote a version, U the next one of the same item
 *     wr   U read what T wrote
 *     rw   T read a version, U wrote the next one
 *
 * Anomalies, after Adya: G0, a cycle of ww; G1a, a read of what an aborted transaction wrote; G1b, a read of
 * what its writer overwrote itself; G1c, a cycle of ww and wr; G-single, a cycle with one rw; G2, one with
 * more. A history without any is serializable.
 *
 * @module
 */

/** What became of an item at one moment: a unique value, or `null` for absence. */
export type Value = string | boolean | null;

/** A transaction that took effect. */
export interface Committed {
  readonly id: string;
  /** Values that are unique name their writer; absence and existence name the version by `writer`. */
  readonly reads: readonly { readonly item: string; readonly writer: string | undefined }[];
}

/** A history: transactions, and of each item the writers of its versions, oldest first. */
export interface History {
  readonly transactions: readonly Committed[];
  readonly versions: ReadonlyMap<string, readonly string[]>;
  /** Transactions that did not take effect. */
  readonly aborted?: ReadonlySet<string>;
  /** Reads that showed what their writer overwrote itself: reader, item. */
  readonly intermediate?: readonly (readonly [string, string])[];
}

/** What is wrong with a history. */
export interface Anomaly {
  readonly kind: "G0" | "G1a" | "G1b" | "G1c" | "G-single" | "G2";
  /** The transactions concerned, some of a cycle. */
  readonly transactions: readonly string[];
}

type Graph = Map<string, Set<string>>;

function addEdge(graph: Graph, from: string, to: string): void {
  if (from === to) return;
  let targets = graph.get(from);
  if (targets === undefined) {
    targets = new Set();
    graph.set(from, targets);
  }
  targets.add(to);
}

function merged(...graphs: readonly Graph[]): Graph {
  const all: Graph = new Map();
  for (const graph of graphs) {
    for (const [from, targets] of graph) for (const to of targets) addEdge(all, from, to);
  }
  return all;
}

/** Strongly connected components of more than one node; Tarjan's, without recursion. */
function components(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const found: string[][] = [];
  for (const root of graph.keys()) {
    if (order.has(root)) continue;
    const work: { node: string; targets: Iterator<string> }[] = [];
    const enter = (node: string) => {
      order.set(node, order.size);
      low.set(node, order.get(node) as number);
      stack.push(node);
      onStack.add(node);
      work.push({ node, targets: (graph.get(node) ?? new Set<string>()).values() });
    };
    enter(root);
    while (work.length > 0) {
      const { node, targets } = work.at(-1) as (typeof work)[number];
      const next = targets.next();
      if (!next.done) {
        if (!order.has(next.value)) enter(next.value);
        else if (onStack.has(next.value)) {
          low.set(node, Math.min(low.get(node) as number, order.get(next.value) as number));
        }
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      const reached = low.get(node) as number;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) as number, reached));
      if (reached !== order.get(node)) continue;
      const component = stack.splice(stack.indexOf(node));
      for (const one of component) onStack.delete(one);
      if (component.length > 1) found.push(component);
    }
  }
  return found;
}

/** Whether a path leads from one node to another. */
function reaches(graph: Graph, from: string, to: string): boolean {
  const seen = new Set([from]);
  const queue = [from];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (node === to) return true;
    for (const next of graph.get(node) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return false;
}

/** The dependencies of a history. */
function dependencies({ transactions, versions }: History): { ww: Graph; wr: Graph; rw: Graph } {
  const [ww, wr, rw]: [Graph, Graph, Graph] = [new Map(), new Map(), new Map()];
  for (const writers of versions.values()) {
    for (let at = 1; at < writers.length; at++) {
      addEdge(ww, writers[at - 1] as string, writers[at] as string);
    }
  }
  for (const { id, reads } of transactions) {
    for (const { item, writer } of reads) {
      const writers = versions.get(item) ?? [];
      if (writer !== undefined) addEdge(wr, writer, id);
      const at = writer === undefined ? -1 : writers.lastIndexOf(writer);
      if (writer !== undefined && at < 0) continue;
      const next = writers[at + 1];
      if (next !== undefined) addEdge(rw, id, next);
    }
  }
  return { ww, wr, rw };
}

/** The anomalies of a history; of each kind of cycle one per component. */
export function anomaliesOf(history: History): Anomaly[] {
  const found: Anomaly[] = [];
  for (const { id, reads } of history.transactions) {
    for (const { writer } of reads) {
      if (writer !== undefined && history.aborted?.has(writer)) {
        found.push({ kind: "G1a", transactions: [id, writer] });
      }
    }
  }
  for (const [reader] of history.intermediate ?? []) {
    found.push({ kind: "G1b", transactions: [reader] });
  }
  const { ww, wr, rw } = dependencies(history);
  for (const transactions of components(ww)) found.push({ kind: "G0", transactions });
  const known = merged(ww, wr);
  const isNew = (cycle: readonly string[]) =>
    !found.some(
      ({ kind, transactions }) =>
        kind.startsWith("G") &&
        transactions.length > 1 &&
        cycle.every((id) => transactions.includes(id)),
    );
  for (const transactions of components(known)) {
    if (isNew(transactions)) found.push({ kind: "G1c", transactions });
  }
  for (const transactions of components(merged(known, rw))) {
    if (!isNew(transactions)) continue;
    const inside = new Set(transactions);
    const isSingle = transactions.some((from) =>
      [...(rw.get(from) ?? [])].some((to) => inside.has(to) && reaches(known, to, from)),
    );
    found.push({ kind: isSingle ? "G-single" : "G2", transactions });
  }
  return found;
}
