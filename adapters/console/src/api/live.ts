import { useEffect, useRef, useState } from "react";
import type { components } from "../generated/schema";
import { EVENT_TYPES } from "../generated/events";
import { linkTo } from "./client";

export type CloudEvent = components["schemas"]["CloudEvent"];
export type Connection = "connecting" | "open" | "closed";

/** "powerfill.run.RunCompleted.v2" is a RunCompleted. */
export function eventName(type: string): string {
  return type.split(".").at(-2) ?? type;
}

/** Events as they are recorded. The browser connects again by itself, after the last event. */
export function useLive(
  query: { after?: number; types?: readonly string[]; runId?: string } | null,
  onEvent: (event: CloudEvent) => void,
): Connection {
  const [state, setState] = useState<Connection>("connecting");
  const handler = useRef(onEvent);
  useEffect(() => {
    handler.current = onEvent;
  });
  const key = query === null ? null : JSON.stringify(query);
  useEffect(() => {
    if (key === null) return;
    const asked = JSON.parse(key) as { after?: number; types?: string[]; runId?: string };
    const parameters: Record<string, string> = {};
    if (asked.after !== undefined) parameters["after"] = String(asked.after);
    if (asked.types && asked.types.length > 0) parameters["type"] = asked.types.join(",");
    if (asked.runId) parameters["run_id"] = asked.runId;
    const source = new EventSource(linkTo("/events/stream", parameters));
    const receive = (message: MessageEvent<string>) => {
      handler.current(JSON.parse(message.data) as CloudEvent);
    };
    source.onopen = () => {
      setState("open");
    };
    source.onerror = () => {
      setState(source.readyState === EventSource.CLOSED ? "closed" : "connecting");
    };
    for (const type of EVENT_TYPES) source.addEventListener(type, receive);
    return () => {
      source.close();
    };
  }, [key]);
  return state;
}
