/** A button that takes one file; the same file can be taken again. */
export function FileButton(props: {
  text: string;
  accept: string;
  className?: string;
  onFile: (file: File) => void;
}) {
  return (
    <label className={props.className ?? "button"}>
      {props.text}
      <input
        type="file"
        className="visually-hidden"
        accept={props.accept}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) props.onFile(file);
        }}
      />
    </label>
  );
}
