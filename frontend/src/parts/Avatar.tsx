const HUES = 6; // as many as styles.css has colours for

/** A stand-in for a picture: the first letter, in a colour that a handle always has. */
export function Avatar({ name, seed }: { readonly name: string; readonly seed: string }) {
  const letters = Array.from(seed, (letter) => letter.codePointAt(0) ?? 0);
  const hue = letters.reduce((sum, letter) => (sum * 31 + letter) % 9973, 7);
  return (
    <span className="avatar" data-hue={hue % HUES} aria-hidden="true">
      {Array.from(name)[0]?.toUpperCase() ?? "?"}
    </span>
  );
}
