/**
 * The messages of Arrow Flight, in the language of Protocol Buffers.
 *
 * Names and numbers are those of Flight.proto of Apache Arrow (Apache License 2.0), which are fixed for ever.
 *
 * @module
 */

/** `arrow.flight.protocol`. */
export const FLIGHT_PROTO = `
syntax = "proto3";
package arrow.flight.protocol;
import "google/protobuf/timestamp.proto";

service FlightService {
  rpc Handshake(stream HandshakeRequest) returns (stream HandshakeResponse) {}
  rpc ListFlights(Criteria) returns (stream FlightInfo) {}
  rpc GetFlightInfo(FlightDescriptor) returns (FlightInfo) {}
  rpc PollFlightInfo(FlightDescriptor) returns (PollInfo) {}
  rpc GetSchema(FlightDescriptor) returns (SchemaResult) {}
  rpc DoGet(Ticket) returns (stream FlightData) {}
  rpc DoPut(stream FlightData) returns (stream PutResult) {}
  rpc DoExchange(stream FlightData) returns (stream FlightData) {}
  rpc DoAction(Action) returns (stream Result) {}
  rpc ListActions(Empty) returns (stream ActionType) {}
}
message HandshakeRequest { uint64 protocol_version = 1; bytes payload = 2; }
message HandshakeResponse { uint64 protocol_version = 1; bytes payload = 2; }
message BasicAuth { string username = 2; string password = 3; }
message Empty {}
message ActionType { string type = 1; string description = 2; }
message Criteria { bytes expression = 1; }
message Action { string type = 1; bytes body = 2; }
enum CancelStatus {
  CANCEL_STATUS_UNSPECIFIED = 0;
  CANCEL_STATUS_CANCELLED = 1;
  CANCEL_STATUS_CANCELLING = 2;
  CANCEL_STATUS_NOT_CANCELLABLE = 3;
}
message CancelFlightInfoRequest { FlightInfo info = 1; }
message CancelFlightInfoResult { CancelStatus status = 1; }
message Result { bytes body = 1; }
message SchemaResult { bytes schema = 1; }
message FlightDescriptor {
  enum DescriptorType { UNKNOWN = 0; PATH = 1; CMD = 2; }
  DescriptorType type = 1;
  bytes cmd = 2;
  repeated string path = 3;
}
message FlightInfo {
  bytes schema = 1;
  FlightDescriptor flight_descriptor = 2;
  repeated FlightEndpoint endpoint = 3;
  int64 total_records = 4;
  int64 total_bytes = 5;
  bool ordered = 6;
  bytes app_metadata = 7;
}
message PollInfo {
  FlightInfo info = 1;
  FlightDescriptor flight_descriptor = 2;
  optional double progress = 3;
  google.protobuf.Timestamp expiration_time = 4;
}
message FlightEndpoint {
  Ticket ticket = 1;
  repeated Location location = 2;
  google.protobuf.Timestamp expiration_time = 3;
  bytes app_metadata = 4;
}
message Location { string uri = 1; }
message Ticket { bytes ticket = 1; }
message FlightData {
  FlightDescriptor flight_descriptor = 1;
  bytes data_header = 2;
  bytes app_metadata = 3;
  bytes data_body = 1000;
}
message PutResult { bytes app_metadata = 1; }
`;

/** `google.protobuf`: the types that other packages import. */
export const GOOGLE_PROTO = `
syntax = "proto3";
package google.protobuf;
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Any { string type_url = 1; bytes value = 2; }
`;
