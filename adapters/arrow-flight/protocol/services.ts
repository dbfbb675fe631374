/**
 * The services that the server has, as grpc-js wants them.
 *
 * Messages reach the calls as bytes: each call decodes its own, so that a message that is none gets an error that says
 * so, and not one of the transport.
 *
 * @module
 */

import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor/index.js";
import { definitions } from "./messages.js";

/** Bytes, or what grpc-js takes for such. */
export type Sendable = Buffer;

const asBuffer = (bytes: Buffer): Buffer => bytes;

function methodOf(service: protobuf.Service, method: protobuf.Method) {
  const definition: MethodDefinition<Sendable, Buffer> = {
    path: `/${service.fullName.slice(1)}/${method.name}`,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    requestSerialize: asBuffer,
    requestDeserialize: asBuffer,
    responseSerialize: asBuffer,
    responseDeserialize: asBuffer,
  };
  return definition;
}

/** The definition of a service by its full name. */
export function serviceOf(name: string): ServiceDefinition {
  const service = definitions.lookupService(name);
  const methods = service.methodsArray.map((method) => {
    method.resolve();
    return [method.name, methodOf(service, method)] as const;
  });
  return Object.fromEntries(methods);
}

/** Name of Flight's service. */
export const FLIGHT_SERVICE = "arrow.flight.protocol.FlightService";
/** Name of the health service. */
export const HEALTH_SERVICE = "grpc.health.v1.Health";
/** Names of the reflection services. */
export const REFLECTION_SERVICES = [
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
] as const;
/** Names of all services. */
export const SERVICES: readonly string[] = [FLIGHT_SERVICE, HEALTH_SERVICE, ...REFLECTION_SERVICES];

/** A file of definitions, as reflection tells it. */
export interface DescribedFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** Full names of the messages, enumerations and services in it. */
  readonly symbols: readonly string[];
}

interface FileDescriptor {
  name: string;
  package: string;
  dependency: string[];
  messageType: { name: string }[];
  enumType: { name: string }[];
  service: { name: string; method: { name: string }[] }[];
}

/** All definitions as files. */
export function describedFiles(): DescribedFile[] {
  const { file } = definitions.toDescriptor("proto3");
  const files = file as unknown as FileDescriptor[];
  const { FileDescriptorProto } = (protobuf as unknown as { descriptor: DescriptorTypes })
    .descriptor;
  return files.map((one) => {
    if (one.package === "arrow.flight.protocol") one.dependency = ["google_protobuf.proto"];
    const types = [...one.messageType, ...one.enumType].map(({ name }) => name);
    const services = one.service.flatMap(({ name, method }) => {
      return [name, ...method.map((method) => `${name}.${method.name}`)];
    });
    const symbols = [...types, ...services].map((name) => `${one.package}.${name}`);
    const bytes = Buffer.from(FileDescriptorProto.encode(one as never).finish());
    return { name: one.name, bytes, symbols };
  });
}

interface DescriptorTypes {
  readonly FileDescriptorProto: protobuf.Type;
}
