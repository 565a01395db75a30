/** A number at a glance: its name, its value with the exact one as a title, and a word about it. */
export function Tile(props: {
  name: string;
  value: string;
  exact?: string;
  says?: string;
  down?: boolean;
}) {
  return (
    <div className="tile">
      <div className="name">{props.name}</div>
      <div className={props.down ? "value down" : "value"} title={props.exact}>
        {props.value}
      </div>
      {props.says && <div className="muted small">{props.says}</div>}
    </div>
  );
}
