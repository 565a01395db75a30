import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

/** Also of a tenant that is not the shown one. */
export const statusQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "status"],
    queryFn: () => answer(api.GET("/api/powerfill/status", { headers: { "X-Tenant-Id": tenant } })),
  });

/** The queue with its lease, and what is behind the log. */
export const operateQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "operate"],
    queryFn: () => answer(api.GET("/api/powerfill/operate")),
    refetchInterval: 2_000,
  });

/** What the events of each run take, the newest run first. */
export const storageQuery = (tenant: string) =>
  infiniteQueryOptions({
    queryKey: ["tenant", tenant, "storage"],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/powerfill/storage", {
          params: { query: { limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
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
