// Every picture of the app, drawn in the colour of the text around it.

const PATHS = {
  home: "M4 11.2 12 4l8 7.2V19a1.5 1.5 0 0 1-1.5 1.5H15V15H9v5.5H5.5A1.5 1.5 0 0 1 4 19z",
  bell: "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  mail: "M4.5 6h15A1.5 1.5 0 0 1 21 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16.5v-9A1.5 1.5 0 0 1 4.5 6zM3.5 7.5 12 13l8.5-5.5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-3.6 3.5-5.5 7.5-5.5s6.9 1.9 7.5 5.5",
  pen: "M4 20l1-4.5L16.5 4a1.8 1.8 0 0 1 2.6 0l.9.9a1.8 1.8 0 0 1 0 2.6L8.5 19zM14.5 6l3.5 3.5",
  out: "M14 7V5.5A1.5 1.5 0 0 0 12.5 4h-6A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20h6a1.5 1.5 0 0 0 1.5-1.5V17M10 12h11M18 9l3 3-3 3",
  close: "M6 6l12 12M18 6 6 18",
  heart: "M12 19.5S4.5 15 4.5 9.7A3.9 3.9 0 0 1 12 8a3.9 3.9 0 0 1 7.5 1.7c0 5.3-7.5 9.8-7.5 9.8z",
  repeat: "M5 12V9.5A2.5 2.5 0 0 1 7.5 7H18M15.5 4 18.5 7l-3 3M19 12v2.5a2.5 2.5 0 0 1-2.5 2.5H6M8.5 20l-3-3 3-3",
  reply: "M12 5c4.7 0 8.5 2.9 8.5 6.5S16.7 18 12 18c-.9 0-1.8-.1-2.6-.3L5 19.5l1-3.3c-1.5-1.2-2.5-2.8-2.5-4.7C3.5 7.9 7.3 5 12 5z",
  warning: "M12 8.5v4.5M12 16.2v.3M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z",
  clock: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 7.5V12l3 2",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration; whatever it means is said in words beside it. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
