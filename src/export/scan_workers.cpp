#include "export/scan_workers.hpp"

#include "export/worker_messages.hpp"
#include "pg/compat.hpp"
#include "pg/guc.hpp"
#include "pg/transaction.hpp"
#include "relations/relation_info.hpp"
#include "s3/client.hpp"
#include "s3/credentials/chain.hpp"

namespace hydra::exporting {
namespace {

using s3::credentials::SharedKeys;

// Keys in the shared memory's table of contents. Queues have consecutive keys.
constexpr std::uint64_t task_key = 1, reading_key = 2, keys_key = 3, queue_key = 4;

constexpr std::size_t queue_size = 65536;

// Between two reports that contain only counts.
constexpr std::chrono::milliseconds report_interval{200};

// An upper limit for the blocks to be read, from the visibility map alone.
std::uint64_t count_unproven_blocks(const Leaf& leaf) {
  change::BlockDispenser dispenser(change::count_blocks(leaf.relation), 1);
  if (leaf.changed) return leaf.changed->size();
  if (leaf.wal.map_position == 0) return dispenser.blocks();
  const Oid oid = leaf.relation;
  ::Relation relation = pg::call([=]() noexcept { return table_open(oid, NoLock); });
  change::BlockSelection selection(relation, leaf.wal, dispenser);
  const std::uint64_t unproven = pg::call([&]() noexcept { return selection.count_unproven(); });
  pg::call([=]() noexcept { table_close(relation, NoLock); });
  return unproven;
}

// One from the minimum size on, and another each time that the size triples.
int workers_for(std::uint64_t blocks) {
  int workers = 0;
  for (auto size = static_cast<std::uint64_t>(std::max(min_parallel_table_scan_size, 1));
       blocks >= size; size *= 3) {
    ++workers;
  }
  return workers;
}

}  // namespace

int wanted_workers(const ModelPlan& plan, std::size_t most) {
  if (most == 0 || plan.leaves.empty()) return 0;
  for (const Leaf& leaf : plan.leaves) {
    if (needs_query(leaf)) return 0;
  }
  std::uint64_t unproven = 0;
  for (const Leaf& leaf : plan.leaves)
    unproven += count_unproven_blocks(leaf);
  const int workers = std::min(workers_for(unproven), static_cast<int>(most));
  return workers > 0 && relations::is_parallel_safe(plan.columns) ? workers : 0;
}

ScanWorkers::ScanWorkers(const ReadTask& task, const Account& account, std::size_t memory,
                         Snapshot snapshot, int workers, std::size_t number, Uploader& uploader)
    : number_(number), uploader_(uploader) {
  WorkerTask whole;
  whole.read = task;
  whole.account.destination = account.destination;
  whole.keys_change = uploader.client().keys_change();
  whole.memory = memory;
  const std::string packed = pack(whole);
  const std::size_t packed_size = packed.size();
  const std::size_t shared_size = SharedReading::size(task);
  void* shared = nullptr;
  void* keys = nullptr;
  pg::call([&]() noexcept {
    EnterParallelMode();
    context_ = CreateParallelContext("hydra_export", "hydra_export_scan_worker_main", workers);
    shm_toc_estimate_chunk(&context_->estimator, sizeof(packed_size) + packed_size);
    shm_toc_estimate_chunk(&context_->estimator, shared_size);
    shm_toc_estimate_chunk(&context_->estimator, mul_size(queue_size, workers));
    shm_toc_estimate_chunk(&context_->estimator, sizeof(SharedKeys));
    shm_toc_estimate_keys(&context_->estimator, 4);
    PushActiveSnapshot(snapshot);
    InitializeParallelDSM(context_);
    PopActiveSnapshot();
    char* to =
        static_cast<char*>(shm_toc_allocate(context_->toc, sizeof(packed_size) + packed_size));
    std::memcpy(to, &packed_size, sizeof(packed_size));
    std::memcpy(to + sizeof(packed_size), packed.data(), packed_size);
    shm_toc_insert(context_->toc, task_key, to);
    shared = shm_toc_allocate(context_->toc, shared_size);
    shm_toc_insert(context_->toc, reading_key, shared);
    keys = shm_toc_allocate(context_->toc, sizeof(SharedKeys));
    shm_toc_insert(context_->toc, keys_key, keys);
  });
  keys_ = new (keys) SharedKeys;
  share_keys();
  shared_ = SharedReading::make(shared, task, workers + 1);
  queues_.resize(static_cast<std::size_t>(context_->nworkers));
  const std::size_t count = queues_.size();
  Queue* const queues = queues_.data();
  const int launched = pg::call([=, this]() noexcept {
    char* room = static_cast<char*>(shm_toc_allocate(context_->toc, queue_size * count));
    shm_toc_insert(context_->toc, queue_key, room);
    for (std::size_t i = 0; i < count; ++i) {
      shm_mq* queue = shm_mq_create(room + i * queue_size, queue_size);
      shm_mq_set_receiver(queue, MyProc);
      queues[i].handle = shm_mq_attach(queue, context_->seg, nullptr);
    }
    LaunchParallelWorkers(context_);
    for (int i = 0; i < context_->nworkers_launched; ++i)
      shm_mq_set_handle(queues[i].handle, context_->worker[i].bgwhandle);
    return context_->nworkers_launched;
  });
  queues_.resize(static_cast<std::size_t>(launched));
}

ScanWorkers::~ScanWorkers() {
  uploader_.client().keep_keys(false);
  if (context_ == nullptr) return;
  if (keys_ != nullptr) keys_->clear();
  // Another error is being handled, which matters more; but objects in the bucket must be recorded.
  try {
    collect();
  } catch (const std::exception&) {
  }
}

// Publishes renewed keys, and renews keys that a worker's store refused.
void ScanWorkers::share_keys() {
  s3::Client& client = uploader_.client();
  const std::uint32_t refused = keys_->refused();
  if (refused != 0 && refused == keys_->version() && refused != renewed_version_) {
    renewed_version_ = refused;
    client.renew_keys();
  }
  if (const auto found = client.keys()) {
    const s3::Credentials& keys = found->keys;
    if (keys.access_key == last_keys_.access_key && keys.secret_key == last_keys_.secret_key &&
        keys.session_token == last_keys_.session_token && refused != keys_->version()) {
      return;
    }
    last_keys_ = keys;
    if (!keys_->publish(*found)) throw pg::Error(ERRCODE_FDW_ERROR, "the keys are too long");
  } else if (const auto failure = client.keys_failure()) {
    keys_->fail(*failure);
  }
}

bool ScanWorkers::receive(Queue& queue) {
  Size size = 0;
  void* data = nullptr;
  const shm_mq_result result =
      pg::call([&]() noexcept { return shm_mq_receive(queue.handle, &size, &data, true); });
  if (result == SHM_MQ_DETACHED) queue.ended = true;
  if (result != SHM_MQ_SUCCESS) return false;
  WorkerReport report = unpack<WorkerReport>({static_cast<const char*>(data), size});
  queue.counts = report.counts;
  for (tables::ObjectRow& object : report.objects)
    uploader_.adopt_sent(number_, std::move(object));
  if (!report.failure.empty()) uploader_.adopt_failure(number_, report.failure, report.fatal);
  if (!report.retry.empty()) uploader_.results().add_retry(number_, report.retry);
  return true;
}

bool ScanWorkers::collect() {
  if (context_ != nullptr && keys_->version() != 0) share_keys();
  bool working = false;
  for (Queue& queue : queues_) {
    while (!queue.ended && receive(queue)) {
    }
    working = working || !queue.ended;
  }
  return working;
}

void ScanWorkers::finish() {
  keys_->clear();
  pg::call([this]() noexcept {
    WaitForParallelWorkersToFinish(context_);
    DestroyParallelContext(context_);
    ExitParallelMode();
  });
  context_ = nullptr;
}

ReadCounts ScanWorkers::counts() const {
  ReadCounts counts;
  for (const Queue& queue : queues_)
    counts += queue.counts;
  return counts;
}

namespace {

// The worker's end of its queue.
class Reporter {
 public:
  Reporter(shm_mq_handle* queue, Uploader& uploader, const ModelReader& reader)
      : queue_(queue), uploader_(uploader), reader_(reader) {}

  // Sends a report if there is enough news. False if an object has failed.
  bool report(bool always = false) {
    const auto now = std::chrono::steady_clock::now();
    const std::vector<tables::ObjectRow>& objects = uploader_.results().objects(0);
    WorkerReport report;
    report.failure =
        uploader_.fatal() ? uploader_.fatal()->text : uploader_.results().failure(0).value_or("");
    report.fatal = uploader_.fatal().has_value();
    for (const UploadResults::Retry& retry : uploader_.results().take_retries())
      report.retry = retry.text;
    const bool is_news =
        objects.size() > reported_ || !report.failure.empty() || !report.retry.empty();
    if (!always && !is_news && now - last_ < report_interval) return true;
    report.objects.assign(objects.begin() + static_cast<std::ptrdiff_t>(reported_), objects.end());
    report.counts = reader_.counts();
    reported_ = objects.size();
    last_ = now;
    send(pack(report));
    return report.failure.empty();
  }

 private:
  void send(const std::string& message) {
    pg::call([&]() noexcept { pg::compat::send_message(queue_, message.size(), message.data()); });
  }

  shm_mq_handle* queue_;
  Uploader& uploader_;
  const ModelReader& reader_;
  std::size_t reported_ = 0;
  std::chrono::steady_clock::time_point last_;
};

template <typename T>
T* look_up(shm_toc* contents, std::uint64_t key) {
  return static_cast<T*>(pg::call([=]() noexcept { return shm_toc_lookup(contents, key, false); }));
}

WorkerTask load_task(shm_toc* contents) {
  const char* from = look_up<const char>(contents, task_key);
  std::size_t size = 0;
  std::memcpy(&size, from, sizeof(size));
  return unpack<WorkerTask>({from + sizeof(size), size});
}

shm_mq_handle* attach_queue(dsm_segment* segment, shm_toc* contents) {
  char* queues = look_up<char>(contents, queue_key);
  return pg::call([=]() noexcept {
    auto* queue = reinterpret_cast<shm_mq*>(queues + ParallelWorkerNumber * queue_size);
    shm_mq_set_sender(queue, MyProc);
    return shm_mq_attach(queue, segment, nullptr);
  });
}

std::shared_ptr<s3::credentials::Source> source_of(const WorkerTask& task, SharedKeys& keys) {
  if (task.keys_change) return std::make_shared<s3::credentials::Shared>(keys);
  const auto read = keys.read(0);
  return std::make_shared<s3::credentials::Static>(read ? read->found.keys : s3::Credentials{});
}

void read_share(dsm_segment* segment, shm_toc* contents) {
  shm_mq_handle* queue = attach_queue(segment, contents);
  const WorkerTask task = load_task(contents);
  s3::initialize_library();
  pg::MemoryScope memory("hydra_export scan worker");
  Uploader uploader(
      client_options(task.account, source_of(task, *look_up<SharedKeys>(contents, keys_key))),
      task.account.destination.compression_kind(), task.memory);
  uploader.limit_silence(longest_silence());
  ModelReader reader(task.read, *look_up<SharedReading>(contents, reading_key), GetActiveSnapshot(),
                     0, uploader);
  Reporter reporter(queue, uploader, reader);
  while (reader.step()) {
    if (!reporter.report()) return;
  }
  while (!uploader.is_drained()) {
    uploader.wait();
    if (!reporter.report()) return;
  }
  reporter.report(true);
}

}  // namespace
}  // namespace hydra::exporting

extern "C" PGDLLEXPORT void hydra_export_scan_worker_main(dsm_segment* segment, shm_toc* contents) {
  hydra::pg::entry([=]() { hydra::exporting::read_share(segment, contents); });
}
