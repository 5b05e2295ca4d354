// Asks one URL and ends with 0 if it answers 200: a health check without curl.

import { argv, exit } from "node:process";

try {
  const response = await fetch(argv[2], { signal: AbortSignal.timeout(2000) });
  exit(response.ok ? 0 : 1);
} catch {
  exit(1);
}
