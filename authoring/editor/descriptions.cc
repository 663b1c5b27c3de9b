#include "authoring/editor/descriptions.h"

namespace stepwell::dsl {

namespace {

struct Row {
  std::string_view field, text;
};
constexpr Row kRows[] = {
    // Machines.
    {"StartAt", "The name of the state where it begins."},
    {"States",
     "The states, by name. A name is unique in the whole workflow, Map and Parallel "
     "included, and has at most 80 characters."},
    {"Version", "The version of the language: \"1.0\"."},
    {"InputSchema", "Stepwell: a JSON Schema; a start whose input does not fit it is refused."},
    {"Groups",
     "Stepwell: Retry and Catch of several states, by the name of the group. An error that "
     "a state's own do not handle is retried from the group's first state, or caught."},
    {"ProcessorConfig", "How the processor of a Map runs."},
    {"Mode",
     "INLINE: iterations are part of this execution. DISTRIBUTED: many of them, with "
     "ItemReader, ItemBatcher and ResultWriter."},
    {"ExecutionType", "Of the child executions of a distributed Map."},
    // Every state.
    {"Type", "What kind of state this is."},
    {"Comment", "For people; it does nothing."},
    {"QueryLanguage", "The language of expressions: JSONPath (the default) or JSONata."},
    {"Next", "The name of the state that comes next, in the same machine."},
    {"End", "true: the machine ends after this state."},
    {"InputPath", "JSONPath: which part of the input the state sees; null: nothing, {}."},
    {"OutputPath", "JSONPath: which part of what comes out goes on; null: nothing, {}."},
    {"Parameters",
     "A payload template: what is handed to the task. A key that ends in .$ holds a "
     "path or an intrinsic call."},
    {"ResultSelector", "A payload template over the raw result."},
    {"ResultPath", "Where in the input the result is put: $ replaces it, null keeps the input."},
    {"Assign", "Variables that later states can read: name and value."},
    {"Arguments", "JSONata: what is handed to the task; \"{% ... %}\" is computed."},
    {"Output", "JSONata: what goes on from here; without it the result, or the input."},
    {"Retry", "Retriers, asked in order when the state fails."},
    {"Catch", "Catchers, asked in order when no retrier takes the error."},
    // Task.
    {"Resource", "Who does the work: \"strava.fetch\" for a function of a provider, or an ARN."},
    {"TimeoutSeconds", "After so many seconds it fails with States.Timeout."},
    {"TimeoutSecondsPath", "A path to the number of seconds."},
    {"HeartbeatSeconds",
     "Without a heartbeat for so many seconds it fails; less than "
     "TimeoutSeconds."},
    {"HeartbeatSecondsPath", "A path to the number of seconds."},
    {"Credentials", "RoleArn: the role that the task takes on."},
    {"RoleArn", "The role that the task takes on."},
    {"RoleArn.$", "A path to the role that the task takes on."},
    // Pass, Choice, Wait, Fail.
    {"Result", "The result, verbatim: nothing in it is computed."},
    {"Choices", "Rules, asked in order; the first that is true says where to go."},
    {"Default", "Where to go when no rule is true; without it the state fails."},
    {"Seconds", "How long to wait."},
    {"SecondsPath", "A path to the number of seconds."},
    {"Timestamp", "Until when to wait: RFC 3339 with T and a zone, \"2026-11-21T07:30:00Z\"."},
    {"TimestampPath", "A path to the timestamp."},
    {"Error", "The name of the error."},
    {"ErrorPath", "A path or an intrinsic call for the name of the error."},
    {"Cause", "Why, for people."},
    {"CausePath", "A path or an intrinsic call for the cause."},
    // Parallel and Map.
    {"Branches",
     "Machines that run at the same time, each with the same input; the output is "
     "the list of theirs."},
    {"ItemProcessor", "The machine that every item runs through."},
    {"Iterator", "The old name of ItemProcessor."},
    {"Items", "JSONata: the list or object, or an expression that makes it."},
    {"ItemsPath", "A path to the list."},
    {"ItemSelector",
     "What an iteration gets as its input; the item is $$.Map.Item.Value, in "
     "JSONata $states.context.Map.Item.Value."},
    {"MaxConcurrency", "At most so many iterations at a time; 0: no limit."},
    {"MaxConcurrencyPath", "A path to that number."},
    {"TolerateFailures",
     "Stepwell: true, an inline Map goes on when iterations fail, as many as are tolerated; "
     "its result is {Results, Failures}."},
    {"ToleratedFailureCount", "So many items may fail before the Map does."},
    {"ToleratedFailureCountPath", "A path to that number."},
    {"ToleratedFailurePercentage", "So many percent of the items may fail before the Map does."},
    {"ToleratedFailurePercentagePath", "A path to that number."},
    {"Label", "Distributed: part of the name of the map run."},
    {"ItemReader", "Distributed: reads the items from a file or a listing."},
    {"ReaderConfig", "What the file is, and how much of it is read."},
    {"InputType", "CSV, JSON, JSONL, PARQUET or MANIFEST."},
    {"CSVHeaderLocation", "FIRST_ROW or GIVEN."},
    {"CSVHeaders", "The names of the columns, when they are GIVEN."},
    {"CSVDelimiter", "COMMA, PIPE, SEMICOLON, SPACE or TAB."},
    {"MaxItems", "At most so many items are read."},
    {"MaxItemsPath", "A path to that number."},
    {"ManifestType", "The kind of the manifest: ATHENA_DATA or S3_INVENTORY."},
    {"ItemsPointer", "JSON pointer to the list inside of the file."},
    {"Transformation", "LOAD_AND_FLATTEN: the contents of every listed file; NONE: the listing."},
    {"ItemBatcher", "Distributed: several items to one iteration."},
    {"MaxItemsPerBatch", "At most so many items in a batch."},
    {"MaxItemsPerBatchPath", "A path to that number."},
    {"MaxInputBytesPerBatch", "At most so many bytes in a batch."},
    {"MaxInputBytesPerBatchPath", "A path to that number."},
    {"BatchInput", "What every batch gets beside its items."},
    {"ResultWriter", "Distributed: writes the results to a bucket."},
    {"WriterConfig", "How results are written."},
    // Retriers and catchers.
    {"ErrorEquals",
     "The names of errors that this is for. States.ALL stands for every one, alone "
     "and last."},
    {"IntervalSeconds", "The wait before the first retry; 1 if absent."},
    {"MaxAttempts", "At most so many retries; 3 if absent, 0: never."},
    {"BackoffRate", "Each wait is so many times the last one; 2.0 if absent."},
    {"MaxDelaySeconds", "No wait is longer."},
    {"JitterStrategy", "FULL: each wait is random, up to what it would have been."},
    {"RetryAfter",
     "Stepwell: HONOR, a time that the server named is the delay and costs no attempt; "
     "IGNORE, it plays no part. Without it no retry comes before that time."},
    {"MaxRetryAfterSeconds", "Stepwell: a longer time of the server is cut; 86400 if absent."},
    {"MaxRetryAfterCount", "Stepwell: how often such a retry costs no attempt; 100 if absent."},
    // Rules.
    {"Variable", "A path to the value that is compared."},
    {"And", "True when all of these are."},
    {"Or", "True when one of these is."},
    {"Not", "True when this is not."},
    {"Condition", "JSONata: true, false or \"{% ... %}\"."},
    {"StringMatches", "A pattern in which * stands for any text; \\\\* is an asterisk."},
    {"IsPresent", "Is there something at Variable, null included?"},
    {"IsNull", "Is it null?"},
    {"IsNumeric", "Is it a number?"},
    {"IsString", "Is it a string?"},
    {"IsBoolean", "Is it true or false?"},
    {"IsTimestamp", "Is it a string with an RFC 3339 timestamp?"},
};

}  // namespace

std::string_view description_of(std::string_view field) {
  for (const Row& row : kRows) {
    if (row.field == field) return row.text;
  }
  return "";
}

}  // namespace stepwell::dsl
