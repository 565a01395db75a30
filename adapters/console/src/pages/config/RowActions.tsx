import type { Head } from "../../parts/Table";

/** The head of the column of actions. */
export const ACTIONS: Head = { name: "Actions", hidden: true };

/** What an admin can do with a row; `what` completes "Edit" and "Remove" for a reader of the screen. */
export function RowActions(props: {
  what: string;
  onEdit: () => void;
  onRemove: () => void;
  kept?: boolean;
}) {
  return (
    <>
      <EditButton what={props.what} onEdit={props.onEdit} />{" "}
      <button
        type="button"
        className="button tight plain"
        disabled={props.kept}
        aria-label={`Remove ${props.what}`}
        onClick={props.onRemove}
      >
        ✕
      </button>
    </>
  );
}

export function EditButton({ what, onEdit }: { what: string; onEdit: () => void }) {
  return (
    <button type="button" className="button tight" aria-label={`Edit ${what}`} onClick={onEdit}>
      Edit
    </button>
  );
}
