/** RFC 9457, as the service answers, with the members of some kinds. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  request_id?: string;
  run_id?: string;
  token?: number;
  step?: string;
  /** The part of the request that the problem is about. */
  field?: string;
  message?: string;
  faults?: Record<string, unknown>[];
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }

  is(kind: string): boolean {
    return this.problem.type === `urn:powerfill:problem:${kind}`;
  }
}

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "title" in value && "detail" in value;

/** What a person sees for any failure: what happened, and what to do. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof TypeError && /fetch|network|load/i.test(error.message)) {
    return {
      type: "about:blank",
      title: "The service does not answer",
      status: 0,
      detail:
        "The connection was refused or broke. Check that `powerfill serve` runs and that the network is there; then try again.",
    };
  }
  return {
    type: "about:blank",
    title: "The page could not be shown",
    status: 0,
    detail: error instanceof Error ? error.message : String(error),
  };
}

/** The problem of an answer that is not 2xx, whatever its body is. */
export function problemFrom(body: unknown, status: number): Problem {
  if (isProblem(body)) return body;
  if (status === 502 || status === 503 || status === 504) {
    return {
      type: "about:blank",
      title: "The service is not available now",
      status,
      detail: "It restarts, or a proxy in front of it cannot reach it. Try again in a moment.",
    };
  }
  return {
    type: "about:blank",
    title: `The service answered ${String(status)}`,
    status,
    detail: "The answer has no explanation. The log of the service has the cause.",
  };
}

/** One fault of an input in words, whichever members it has. */
export function faultWords(fault: Record<string, unknown>): string {
  const part = (name: string) => (typeof fault[name] === "string" ? fault[name] : null);
  const place = [part("table"), part("column")].filter(Boolean).join(".");
  const row = typeof fault["row"] === "number" ? `row ${String(fault["row"])}` : null;
  const where = [place, row].filter(Boolean).join(", ");
  const words = part("message") ?? part("detail") ?? part("code") ?? JSON.stringify(fault);
  return where ? `${where}: ${words}` : words;
}
