import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";

/** A form over the page: the focus stays in it, and Escape closes it. */
export function FormDialog(props: {
  title: string;
  wide?: boolean;
  submit: string;
  danger?: boolean;
  ready: boolean;
  close?: string;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Base.Root
      open
      onOpenChange={(open) => {
        if (!open) props.onClose();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className={props.wide ? "dialog wide" : "dialog"}>
          <div className="head">
            <Base.Title className="grow">{props.title}</Base.Title>
            <Base.Close className="button tight plain" aria-label="Close">
              ✕
            </Base.Close>
          </div>
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              if (props.ready) props.onSubmit();
            }}
          >
            {props.children}
            <div className="actions">
              <button
                type="submit"
                className={props.danger ? "button danger" : "button primary"}
                disabled={!props.ready}
              >
                {props.submit}
              </button>
              <button type="button" className="button" onClick={props.onClose}>
                {props.close ?? "Close"}
              </button>
            </div>
          </form>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
