import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export const statusQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "status"],
    queryFn: () => answer(api.GET("/api/powerfill/status")),
  });

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of a text in the format of OpenMetrics. */
export function samplesOf(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match || line.startsWith("#")) continue;
    const labels: Record<string, string> = {};
    for (const pair of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[pair[1] ?? ""] = (pair[2] ?? "").replace(/\\(["\\n])/g, (_, c: string) =>
        c === "n" ? "\n" : c,
      );
    }
    samples.push({ name: match[1] ?? "", labels, value: Number(match[3]) });
  }
  return samples;
}

export const metricsQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "metrics"],
    queryFn: async () => samplesOf(String(await answer(api.GET("/metrics", { parseAs: "text" })))),
    refetchInterval: 5_000,
  });
