import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PROBLEM_BASE, PROBLEM_CONTENT_TYPE, type Problem } from '@hookline/contracts';
import type { Logger } from './logger.js';

/** Thrown anywhere in a request, it becomes the answer, as `application/problem+json`. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  readonly problem: Problem;

  /**
   * @param name the last part of the problem's type
   * @param headers sent with the answer, e.g. `retry-after`
   */
  constructor(
    status: number,
    name: string,
    title: string,
    extensions: Partial<Problem> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(title);
    this.problem = { type: PROBLEM_BASE + name, title, status, ...extensions };
  }
}

/** What is used of fastify's reply. */
interface Reply {
  status(code: number): Reply;
  headers(headers: Readonly<Record<string, string>>): Reply;
  send(body: Buffer): void;
}

/** Turns whatever was thrown into a problem; only what nobody foresaw is a 500, and is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>();
    const [body, headers] = this.answerTo(thrown);
    // As bytes, for fastify adds a charset to the type of a text, and JSON has none.
    reply
      .status(body.status)
      .headers({ ...headers, 'content-type': PROBLEM_CONTENT_TYPE })
      .send(Buffer.from(JSON.stringify(body)));
  }

  private answerTo(thrown: unknown): [Problem, Readonly<Record<string, string>>] {
    if (thrown instanceof ProblemError) return [thrown.problem, thrown.headers];
    if (thrown instanceof HttpException) return [fromHttpException(thrown), {}];
    this.logger.error({ err: thrown }, 'a request failed for a reason that nobody foresaw');
    return [generic(500, 'The request could not be answered; the log says why.'), {}];
  }
}

function fromHttpException(exception: HttpException): Problem {
  const status = exception.getStatus();
  const response = exception.getResponse();
  // Health reports travel as the response of an exception: they are the problem's own members.
  const extensions = typeof response === 'object' && 'checks' in response ? response : { detail: exception.message };
  return { ...generic(status), ...extensions };
}

function generic(status: number, detail?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  const type = PROBLEM_BASE + title.toLowerCase().replaceAll(' ', '-');
  return { type, title, status, ...(detail === undefined ? {} : { detail }) };
}
