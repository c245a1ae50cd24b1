/** The one way to the server: same origin, JSON, errors that keep the server's Chinese message and hint. */

export type Query = Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>;

export const API = "/api/v1";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = "",
    readonly fields: Record<string, string> = {},
    /** The whole answer, for errors that say more than words. */
    readonly body: unknown = null,
  ) {
    super(message);
  }
}

/** Called when the session is gone (401), so that the shell can show the sign-in page. */
let onSignedOut: () => void = () => undefined;
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/** Called when the server wants the first password changed before it answers anything else. */
let onPasswordNeeded: () => void = () => undefined;
export function whenPasswordNeeded(action: () => void): void {
  onPasswordNeeded = action;
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return `${path.startsWith("/") ? path : `${API}/${path}`}${text ? `?${text}` : ""}`;
}

async function failure(answer: Response): Promise<ApiError> {
  let body: unknown = null;
  try {
    body = await answer.json();
  } catch {
    // a proxy or a crash answers without JSON: fall through to the general words
  }
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  if (error && typeof error.message === "string") {
    return new ApiError(
      answer.status,
      String(error.code ?? ""),
      error.message,
      typeof error.hint === "string" ? error.hint : "",
      (error.fields as Record<string, string> | undefined) ?? {},
      body,
    );
  }
  return new ApiError(answer.status, "http", `服务器回答 ${answer.status}`, "请稍后重试;若仍如此,请查看服务日志");
}

async function send(method: string, path: string, query?: Query, body?: BodyInit | null, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(withQuery(path, query), {
      method,
      body: body ?? null,
      credentials: "same-origin",
      headers: typeof body === "string" ? { "content-type": "application/json" } : {},
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "network", "无法连接服务器", "请检查网络,或确认服务正在运行");
  }
  if (answer.ok) return answer;
  const error = await failure(answer);
  if (answer.status === 401 && error.code !== "bad_credentials" && path !== "session") onSignedOut();
  if (error.code === "must_change_password") onPasswordNeeded();
  throw error;
}

async function json<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

export const http = {
  async get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
    return json<T>(await send("GET", path, query, null, signal));
  },
  /** GET with the answer's headers, for data that carry words in them. */
  async raw(path: string): Promise<Response> {
    return send("GET", path);
  },
  async post<T>(path: string, body: unknown = {}, query?: Query): Promise<T> {
    return json<T>(await send("POST", path, query, JSON.stringify(body)));
  },
  async put<T>(path: string, body: unknown): Promise<T> {
    return json<T>(await send("PUT", path, undefined, JSON.stringify(body)));
  },
  async patch<T>(path: string, body: unknown): Promise<T> {
    return json<T>(await send("PATCH", path, undefined, JSON.stringify(body)));
  },
  async remove(path: string): Promise<void> {
    await send("DELETE", path);
  },
  async upload<T>(path: string, file: File, query?: Query): Promise<T> {
    return this.submit<T>(path, { file }, query);
  },
  /** A form with files. */
  async submit<T>(path: string, fields: Record<string, string | File>, query?: Query): Promise<T> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return json<T>(await send("POST", path, query, form));
  },
  /** Fetch a file and hand it to the browser, so that an error becomes words instead of a broken download. */
  async download(path: string, name: string, query?: Query): Promise<void> {
    await this.checked(path, name, query);
  },
  /** The same; tells the file's SHA-256 where the server gave one. */
  async checked(path: string, name: string, query?: Query): Promise<string> {
    const answer = await send("GET", path, query);
    const given = /filename\*?=(?:UTF-8'')?"?([^";]+)"?/i.exec(answer.headers.get("content-disposition") ?? "");
    const url = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = given?.[1] ? decodeURIComponent(given[1]) : name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return answer.headers.get("x-content-sha256") ?? "";
  },
};
