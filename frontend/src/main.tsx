// The start: first where everything is, then the app, or the page that says what is missing.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App.tsx";
import { loadConfig } from "./config.ts";
import { SetupPage } from "./pages/SetupPage.tsx";
import { lazyCognito } from "./session/cognito.ts";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/shell.css";
import "./styles/narrow.css";
import "./styles/feed.css";
import "./styles/forms.css";

const place = document.querySelector("#app");
if (place !== null) {
  const config = await loadConfig();
  createRoot(place).render(
    <StrictMode>
      {"problems" in config ? (
        <SetupPage problem={config} />
      ) : (
        <App config={config} cognito={lazyCognito(config)} />
      )}
    </StrictMode>,
  );
}
