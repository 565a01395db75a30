import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { openSession, sessionQuery } from "../api/session";
import { ProblemNotice } from "./Problem";

/** A token is entered once; the service makes a session of it, so no script can read it again. */
export function Login() {
  const id = useId();
  const [token, setToken] = useState("");
  const client = useQueryClient();
  const login = useMutation({
    mutationFn: openSession,
    onSuccess: (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
    },
  });
  return (
    <main className="login">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          login.mutate(token.trim());
        }}
      >
        <h1>PowerFill</h1>
        <p className="muted">
          Enter your token. An operator creates one with <code>powerfill token create</code>.
        </p>
        <div className="field">
          <label htmlFor={id}>Token</label>
          <input
            id={id}
            type="password"
            autoComplete="current-password"
            autoFocus
            spellCheck={false}
            value={token}
            onChange={(event) => {
              setToken(event.target.value);
            }}
          />
        </div>
        <button
          type="submit"
          className="button primary"
          disabled={token.trim() === "" || login.isPending}
        >
          Sign in
        </button>
        {login.isError && <ProblemNotice error={login.error} />}
      </form>
    </main>
  );
}
