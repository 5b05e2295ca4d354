// Which page is at which path.

import { BrowserRouter, Route, Routes } from "react-router";

import type { Config } from "./config.ts";
import { ConfirmPage } from "./pages/ConfirmPage.tsx";
import { ForgotPage } from "./pages/ForgotPage.tsx";
import { HomePage } from "./pages/HomePage.tsx";
import { MessagesPage } from "./pages/MessagesPage.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { NotificationsPage } from "./pages/NotificationsPage.tsx";
import { ProfilePage } from "./pages/ProfilePage.tsx";
import { SignInPage } from "./pages/SignInPage.tsx";
import { SignUpPage } from "./pages/SignUpPage.tsx";
import { FocusOnNavigation } from "./parts/FocusOnNavigation.tsx";
import { SessionProvider } from "./session/SessionProvider.tsx";
import type { LazyCognito } from "./session/cognito.ts";
import { Shell } from "./shell/Shell.tsx";

interface Props {
  readonly config: Config;
  readonly cognito: LazyCognito;
}

export function App({ config, cognito }: Props) {
  return (
    <SessionProvider config={config} cognito={cognito}>
      <BrowserRouter>
        <FocusOnNavigation />
        <Routes>
          <Route path="/signin" element={<SignInPage />} />
          <Route path="/signup" element={<SignUpPage />} />
          <Route path="/confirm" element={<ConfirmPage />} />
          <Route path="/forgot" element={<ForgotPage />} />
          <Route element={<Shell />}>
            <Route path="/" element={<HomePage />} />
            <Route path="/notifications" element={<NotificationsPage />} />
            <Route path="/messages" element={<MessagesPage />} />
            <Route path="/:at" element={<ProfilePage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Routes>
      </BrowserRouter>
    </SessionProvider>
  );
}
