/**
 * The services that any gRPC server has: whether it serves, and what.
 *
 * Both answer whoever asks, as load balancers and tools want it; neither tells of data.
 *
 * @module
 */

import { status as Status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { codecOf, ServingStatus } from "../protocol/messages.js";
import { type DescribedFile, describedFiles, SERVICES } from "../protocol/services.js";
import type { RawCall } from "./client-stream.js";

const HEALTH = "grpc.health.v1";
const checkRequest = codecOf<{ service: string }>(`${HEALTH}.HealthCheckRequest`);
const checkResponse = codecOf<{ status: number }>(`${HEALTH}.HealthCheckResponse`);

interface StreamCall extends RawCall {
  readonly request: Buffer;
  end(): void;
  emit(event: string, ...args: unknown[]): boolean;
}

/** Whether the server serves, for those who ask and those who watch. */
export class Health {
  #isServing = true;
  readonly #watchers = new Set<() => void>();

  #statusOf(service: string): number {
    if (service !== "" && !SERVICES.includes(service)) return ServingStatus.serviceUnknown;
    return this.#isServing ? ServingStatus.serving : ServingStatus.notServing;
  }

  /** From now on, the server is about to stop: watchers hear of it, and their calls end. */
  stop(): void {
    this.#isServing = false;
    for (const tell of this.#watchers) tell();
    this.#watchers.clear();
  }

  /** The service, for grpc-js. */
  readonly service: UntypedServiceImplementation = {
    Check: ((call: StreamCall, answer: (error: unknown, reply?: Buffer) => void) => {
      try {
        const status = this.#statusOf(checkRequest.decode(call.request).service);
        if (status !== ServingStatus.serviceUnknown) answer(null, checkResponse.encode({ status }));
        else answer({ code: Status.NOT_FOUND, details: "There is no such service" });
      } catch (error) {
        answer({ code: Status.INVALID_ARGUMENT, details: (error as Error).message });
      }
    }) as never,
    Watch: ((call: StreamCall) => {
      let service: string;
      try {
        ({ service } = checkRequest.decode(call.request));
      } catch (error) {
        const details = (error as Error).message;
        call.emit("error", { code: Status.INVALID_ARGUMENT, details });
        return;
      }
      const tell = () => {
        call.write(checkResponse.encode({ status: this.#statusOf(service) }));
        if (!this.#isServing) call.end();
      };
      call.on("cancelled", () => this.#watchers.delete(tell));
      this.#watchers.add(tell);
      tell();
    }) as never,
  };
}

interface ReflectionRequest {
  readonly messageRequest?: string;
  readonly fileByFilename: string;
  readonly fileContainingSymbol: string;
}

/** What reflection says of a request. */
function answerOf(request: ReflectionRequest, files: readonly DescribedFile[]): object {
  const error = (errorCode: number, errorMessage: string) => ({
    errorResponse: { errorCode, errorMessage },
  });
  const withFile = (file: DescribedFile | undefined) => {
    if (file === undefined) return error(Status.NOT_FOUND, "There is no such file or symbol");
    return { fileDescriptorResponse: { fileDescriptorProto: [file.bytes] } };
  };
  switch (request.messageRequest) {
    case "listServices":
      return { listServicesResponse: { service: SERVICES.map((name) => ({ name })) } };
    case "fileByFilename":
      return withFile(files.find(({ name }) => name === request.fileByFilename));
    case "fileContainingSymbol":
      return withFile(files.find(({ symbols }) => symbols.includes(request.fileContainingSymbol)));
    default:
      return error(Status.UNIMPLEMENTED, "There are no extensions");
  }
}

/** A reflection service of one version, for grpc-js. */
export function reflection(version: "v1" | "v1alpha"): UntypedServiceImplementation {
  const name = `grpc.reflection.${version}`;
  const requests = codecOf<ReflectionRequest>(`${name}.ServerReflectionRequest`);
  const responses = codecOf<object>(`${name}.ServerReflectionResponse`);
  let files: readonly DescribedFile[] | undefined;
  const handle = (call: StreamCall) => {
    call.on("data", (bytes: Buffer) => {
      try {
        const originalRequest = requests.decode(bytes);
        files ??= describedFiles();
        const answer = answerOf(originalRequest, files);
        const isRoom = call.write(responses.encode({ originalRequest, ...answer }));
        if (!isRoom) {
          (call as unknown as { pause(): void }).pause();
          call.on("drain", () => (call as unknown as { resume(): void }).resume());
        }
      } catch (error) {
        const details = (error as Error).message;
        call.emit("error", { code: Status.INVALID_ARGUMENT, details });
      }
    });
    call.on("end", () => call.end());
  };
  return { ServerReflectionInfo: handle as never };
}
