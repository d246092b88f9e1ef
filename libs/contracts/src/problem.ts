/** RFC 9457. `errors` names each field at fault, with its limit where there is one. */
export interface Problem {
  /** `https://hookline.dev/problems/<name>` */
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: FieldError[];
  [extension: string]: unknown;
}

export interface FieldError {
  /** JSON path of the field, e.g. `events[3].id`. */
  field: string;
  message: string;
  limit?: number;
}

export const PROBLEM_BASE = 'https://hookline.dev/problems/';
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
