// What services return: the fields and types that a mock is compared with.
//
// Names as Step Functions writes them (PascalCase); times are strings there.
#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "authoring/teststate/mock.h"

namespace stepwell::teststate {

namespace {

enum class Kind : std::uint8_t { kString, kNumber, kBoolean, kObject, kArray, kAnything };

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Field {
  const char* name;
  Kind kind;
  bool required = false;
  std::vector<Field> members = {};  // Of an object, or of each element of an array.
  double least = -kNoLimit, most = kNoLimit;
};
using Fields = std::vector<Field>;

struct Shape {
  std::string_view action;  // "service:action" of optimized and SDK integrations alike.
  Fields fields;
};

Field text(const char* name, bool required = false) { return {name, Kind::kString, required}; }
Field number(const char* name, double least = -kNoLimit, double most = kNoLimit) {
  return {name, Kind::kNumber, false, {}, least, most};
}
Field flag(const char* name) { return {name, Kind::kBoolean}; }
Field object(const char* name, Fields members = {}) {
  return {name, Kind::kObject, false, std::move(members)};
}
Field array(const char* name, Fields members = {}) {
  return {name, Kind::kArray, false, std::move(members)};
}

Fields capacity() {
  return {text("TableName"), number("CapacityUnits"), number("ReadCapacityUnits"),
          number("WriteCapacityUnits")};
}

Fields function_configuration() {
  return {text("FunctionName"),
          text("FunctionArn"),
          text("Runtime"),
          text("Role"),
          text("Handler"),
          number("CodeSize"),
          text("Description"),
          number("Timeout", 1),
          number("MemorySize", 128, 10240),
          text("LastModified"),
          text("CodeSha256"),
          text("Version"),
          object("Environment"),
          text("RevisionId"),
          array("Layers"),
          text("State"),
          text("StateReason"),
          text("LastUpdateStatus"),
          text("PackageType"),
          array("Architectures"),
          object("EphemeralStorage", {number("Size", 512, 10240)})};
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kAll = {
      {"dynamodb:putItem",
       {object("Attributes"), object("ConsumedCapacity", capacity()),
        object("ItemCollectionMetrics")}},
      {"dynamodb:getItem", {object("Item"), object("ConsumedCapacity", capacity())}},
      {"dynamodb:updateItem",
       {object("Attributes"), object("ConsumedCapacity", capacity()),
        object("ItemCollectionMetrics")}},
      {"dynamodb:deleteItem",
       {object("Attributes"), object("ConsumedCapacity", capacity()),
        object("ItemCollectionMetrics")}},
      {"dynamodb:query",
       {array("Items"), number("Count"), number("ScannedCount"), object("LastEvaluatedKey"),
        object("ConsumedCapacity", capacity())}},
      {"dynamodb:scan",
       {array("Items"), number("Count"), number("ScannedCount"), object("LastEvaluatedKey"),
        object("ConsumedCapacity", capacity())}},
      {"ecs:runTask", {array("Tasks"), array("Failures")}},
      {"events:putEvents",
       {number("FailedEntryCount"),
        array("Entries", {text("EventId"), text("ErrorCode"), text("ErrorMessage")})}},
      {"eventbridge:putEvents",
       {number("FailedEntryCount"),
        array("Entries", {text("EventId"), text("ErrorCode"), text("ErrorMessage")})}},
      {"glue:startJobRun", {text("JobRunId")}},
      {"lambda:getFunction",
       {object("Configuration", function_configuration()),
        object("Code", {text("RepositoryType"), text("Location"), text("ImageUri")}),
        object("Tags"), object("Concurrency", {number("ReservedConcurrentExecutions", 0)})}},
      {"lambda:getFunctionConfiguration", function_configuration()},
      {"lambda:invoke",
       {number("StatusCode"), text("FunctionError"), text("LogResult"), text("ExecutedVersion"),
        Field{"Payload", Kind::kAnything}}},
      {"sfn:startExecution", {text("ExecutionArn", true), text("StartDate", true)}},
      {"sfn:describeExecution",
       {text("ExecutionArn", true), text("StateMachineArn", true), text("Name"),
        text("Status", true), text("StartDate", true), text("StopDate"), text("Input"),
        text("Output"), text("Error"), text("Cause"), number("RedriveCount", 0)}},
      {"sfn:startSyncExecution",
       {text("ExecutionArn", true), text("StateMachineArn"), text("Name"), text("StartDate", true),
        text("StopDate", true), text("Status", true), text("Error"), text("Cause"), text("Input"),
        text("Output")}},
      {"s3:getObject",
       {Field{"Body", Kind::kAnything}, number("ContentLength"), text("ContentType"), text("ETag"),
        text("LastModified"), object("Metadata")}},
      {"s3:putObject", {text("ETag"), text("VersionId"), text("Expiration")}},
      {"s3:listObjectsV2",
       {flag("IsTruncated"),
        array("Contents", {text("Key"), text("ETag"), text("LastModified"), number("Size"),
                           text("StorageClass")}),
        text("Name"), text("Prefix"), number("MaxKeys"), number("KeyCount"),
        text("NextContinuationToken")}},
      {"sns:publish", {text("MessageId"), text("SequenceNumber")}},
      {"sqs:sendMessage",
       {text("MD5OfMessageBody"), text("MD5OfMessageAttributes"),
        text("MD5OfMessageSystemAttributes"), text("MessageId"), text("SequenceNumber")}},
      {"sqs:receiveMessage",
       {array("Messages", {text("MessageId"), text("ReceiptHandle"), text("MD5OfBody"),
                           text("Body"), object("Attributes")})}},
      {"ssm:getParameter",
       {object("Parameter", {text("Name"), text("Type"), text("Value"), number("Version"),
                             text("LastModifiedDate"), text("ARN"), text("DataType")})}},
  };
  return kAll;
}

// "service:action" of the resource of an integration; empty for any other resource.
std::string action_of(const std::string& resource) {
  const std::string begin = ":states:::";
  const auto at = resource.find(begin);
  if (resource.rfind("arn:", 0) != 0 || at == std::string::npos) return {};
  std::string action = resource.substr(at + begin.size());
  if (action.rfind("aws-sdk:", 0) == 0) action = action.substr(8);
  if (action.rfind("states:", 0) == 0) action = "sfn" + action.substr(6);
  // An execution that is waited for returns what DescribeExecution returns.
  if (action.rfind("sfn:startExecution.sync", 0) == 0) return "sfn:describeExecution";
  return action.find('.') == std::string::npos ? action : std::string();
}

bool is_of_kind(const Value& value, Kind kind) {
  switch (kind) {
    case Kind::kString: return value.is_string();
    case Kind::kNumber: return value.is_number();
    case Kind::kBoolean: return value.is_bool();
    case Kind::kObject: return value.is_object();
    case Kind::kArray: return value.is_array();
    case Kind::kAnything: return true;
  }
  return true;
}

const char* kind_words(Kind kind) {
  switch (kind) {
    case Kind::kString: return "a string";
    case Kind::kNumber: return "a number";
    case Kind::kBoolean: return "a boolean";
    case Kind::kObject: return "an object";
    case Kind::kArray: return "an array";
    case Kind::kAnything: break;
  }
  return "anything";
}

std::optional<std::string> fields_problem(const Fields& fields, const Value& value,
                                          Validation validation);

std::optional<std::string> field_problem(const Field& field, const Value& value,
                                         Validation validation) {
  const std::string name = std::string("Field '") + field.name + "' ";
  if (!is_of_kind(value, field.kind)) return name + "must be " + kind_words(field.kind);
  if (value.is_number() && value.as_double() < field.least) {
    return name + "is less than the minimum value";
  }
  if (value.is_number() && value.as_double() > field.most) {
    return name + "exceeds the maximum value";
  }
  if (field.members.empty()) return std::nullopt;
  if (value.is_object()) return fields_problem(field.members, value, validation);
  for (const Value& element : value.as_array()) {
    if (!element.is_object()) return name + "must be an array of objects";
    if (auto problem = fields_problem(field.members, element, validation)) return problem;
  }
  return std::nullopt;
}

// Why the fields do not fit.  A field that we do not know is accepted, because services add fields.
std::optional<std::string> fields_problem(const Fields& fields, const Value& value,
                                          Validation validation) {
  for (const Field& field : fields) {
    const Value* member = value.find(field.name);
    if (member == nullptr) {
      if (!field.required || validation != Validation::kStrict) continue;
      return std::string("Required field '") + field.name + "' is missing";
    }
    if (auto problem = field_problem(field, *member, validation)) return problem;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> shape_problem(const std::string& resource, const Value& result,
                                         Validation validation) {
  if (validation == Validation::kNone || !result.is_object()) return std::nullopt;
  const std::string action = action_of(resource);
  const auto found = std::find_if(shapes().begin(), shapes().end(),
                                  [&](const Shape& shape) { return shape.action == action; });
  if (found == shapes().end()) return std::nullopt;
  const auto problem = fields_problem(found->fields, result, validation);
  if (!problem) return std::nullopt;
  return "Mock result schema validation error: " + *problem;
}

}  // namespace stepwell::teststate
