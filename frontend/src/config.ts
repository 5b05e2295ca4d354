// This file reads config.json, which is served beside the app: one bundle, every environment.

/** What the app has to know. Nothing in it is secret. */
export interface Config {
  readonly userPoolId: string;
  readonly clientId: string;
  readonly region: string;
  /** Origin of the sidecar; no other server gets an access token. */
  readonly apiUrl: string;
  /** Origin of a local stand-in; null means Cognito itself. */
  readonly cognitoEndpoint: string | null;
}

/** Why the app cannot start; each entry is one thing to change. */
export interface ConfigProblem {
  readonly problems: readonly string[];
}

const REQUIRED = {
  userPoolId: "VITE_COGNITO_USER_POOL_ID",
  clientId: "VITE_COGNITO_CLIENT_ID",
  region: "VITE_COGNITO_REGION",
  apiUrl: "VITE_API_URL",
} as const;

/** Fetch and read the configuration. Never rejects. */
export async function loadConfig(): Promise<Config | ConfigProblem> {
  try {
    const response = await fetch("/config.json");
    if (response.ok) return readConfig(await response.json());
    return { problems: [`config.json: the server answered ${response.status}`] };
  } catch {
    return { problems: ["config.json: it could not be loaded, or is not JSON"] };
  }
}

/** Read decoded JSON; what is missing or does not fit is listed, all of it. */
export function readConfig(json: unknown): Config | ConfigProblem {
  if (typeof json !== "object" || json === null) return { problems: ["config.json: not an object"] };
  const text = (name: string): string | null => {
    const value = (json as Record<string, unknown>)[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const missing = Object.entries(REQUIRED).filter(([key]) => text(key) === null);
  if (missing.length > 0) return { problems: missing.map(([, name]) => `${name} is not set`) };
  const config = {
    userPoolId: text("userPoolId") ?? "",
    clientId: text("clientId") ?? "",
    region: text("region") ?? "",
    apiUrl: text("apiUrl") ?? "",
    cognitoEndpoint: text("cognitoEndpoint"),
  };
  if (config.userPoolId.startsWith(`${config.region}_`)) return config;
  return { problems: ["VITE_COGNITO_REGION is not the region that the user pool id begins with"] };
}
