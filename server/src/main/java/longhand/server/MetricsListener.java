package longhand.server;

import com.sun.management.UnixOperatingSystemMXBean;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.SummaryWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Quantiles;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Answers `GET /metrics` in Prometheus' text format: what the process uses, under the names every
/// Prometheus client gives it, and Longhand's own figures, which [Server] adds to the registry.
final class MetricsListener implements Closeable {

  private static final int PAGE_BYTES = 4096;

  private final HttpServer http;
  private final ExecutorService executor;

  private MetricsListener(HttpServer http, ExecutorService executor) {
    this.http = http;
    this.executor = executor;
  }

  static MetricsListener open(InetSocketAddress address, PrometheusRegistry registry)
      throws IOException {
    process(registry);
    var http = HttpServer.create(address, 16);
    var writer = PrometheusTextFormatWriter.create();
    // One at a time: a scrape is short, and who asks more often waits.
    var executor =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("metrics").factory());
    http.setExecutor(executor);
    http.createContext("/", exchange -> answer(exchange, registry, writer));
    http.start();
    return new MetricsListener(http, executor);
  }

  /// Where it listens.
  InetSocketAddress address() {
    return http.getAddress();
  }

  @Override
  public void close() {
    http.stop(0);
    executor.shutdown();
  }

  private static void answer(
      HttpExchange exchange, PrometheusRegistry registry, PrometheusTextFormatWriter writer)
      throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals("/metrics")) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.getResponseHeaders().add("Allow", "GET");
        exchange.sendResponseHeaders(405, -1);
        return;
      }
      var page = new ByteArrayOutputStream();
      writer.write(page, registry.scrape());
      exchange.getResponseHeaders().add("Content-Type", writer.getContentType());
      exchange.sendResponseHeaders(200, page.size());
      page.writeTo(exchange.getResponseBody());
    }
  }

  /// What Prometheus' own clients tell of a process and a Java machine.
  private static void process(PrometheusRegistry registry) {
    var runtime = ManagementFactory.getRuntimeMXBean();
    GaugeWithCallback.builder()
        .name("process_start_time_seconds")
        .help("When the process started, in seconds since the epoch.")
        .callback(gauge -> gauge.call(runtime.getStartTime() / 1000.0))
        .register(registry);
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      CounterWithCallback.builder()
          .name("process_cpu_seconds_total")
          .help("Processor time used, in seconds.")
          .callback(counter -> counter.call(system.getProcessCpuTime() / 1e9))
          .register(registry);
      GaugeWithCallback.builder()
          .name("process_open_fds")
          .help("Open file descriptors.")
          .callback(gauge -> gauge.call((double) system.getOpenFileDescriptorCount()))
          .register(registry);
      GaugeWithCallback.builder()
          .name("process_max_fds")
          .help("Most file descriptors there may be.")
          .callback(gauge -> gauge.call((double) system.getMaxFileDescriptorCount()))
          .register(registry);
    }
    GaugeWithCallback.builder()
        .name("process_virtual_memory_bytes")
        .help("Address space used.")
        .callback(gauge -> gauge.call(statm(0)))
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_resident_memory_bytes")
        .help("Memory resident.")
        .callback(gauge -> gauge.call(statm(1)))
        .register(registry);
    var memory = ManagementFactory.getMemoryMXBean();
    GaugeWithCallback.builder()
        .name("jvm_memory_used_bytes")
        .help("Memory used, by area.")
        .labelNames("area")
        .callback(
            gauge -> {
              gauge.call((double) memory.getHeapMemoryUsage().getUsed(), "heap");
              gauge.call((double) memory.getNonHeapMemoryUsage().getUsed(), "nonheap");
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_memory_committed_bytes")
        .help("Memory taken from the system, by area.")
        .labelNames("area")
        .callback(
            gauge -> {
              gauge.call((double) memory.getHeapMemoryUsage().getCommitted(), "heap");
              gauge.call((double) memory.getNonHeapMemoryUsage().getCommitted(), "nonheap");
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_memory_max_bytes")
        .help("Most memory there may be, by area; -1 when unbounded.")
        .labelNames("area")
        .callback(
            gauge -> {
              gauge.call((double) memory.getHeapMemoryUsage().getMax(), "heap");
              gauge.call((double) memory.getNonHeapMemoryUsage().getMax(), "nonheap");
            })
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_buffer_pool_used_bytes")
        .help("Memory of buffers outside the heap, by pool.")
        .labelNames("pool")
        .callback(
            gauge -> {
              for (var pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
                gauge.call((double) pool.getMemoryUsed(), pool.getName());
              }
            })
        .register(registry);
    SummaryWithCallback.builder()
        .name("jvm_gc_collection_seconds")
        .help("Time of garbage collections, by collector.")
        .labelNames("gc")
        .callback(
            summary -> {
              for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                summary.call(
                    Math.max(0, collector.getCollectionCount()),
                    Math.max(0, collector.getCollectionTime()) / 1000.0,
                    Quantiles.EMPTY,
                    collector.getName());
              }
            })
        .register(registry);
    var threads = ManagementFactory.getThreadMXBean();
    GaugeWithCallback.builder()
        .name("jvm_threads_current")
        .help("Platform threads.")
        .callback(gauge -> gauge.call(threads.getThreadCount()))
        .register(registry);
  }

  /// A number of pages from Linux' `/proc/self/statm`, in bytes; 0 on other systems.
  private static double statm(int field) {
    try {
      var text = Files.readString(Path.of("/proc/self/statm"));
      int start = 0;
      for (int i = 0; i < field; i++) {
        start = text.indexOf(' ', start) + 1;
      }
      return Long.parseLong(text.substring(start, text.indexOf(' ', start))) * (double) PAGE_BYTES;
    } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
      return 0;
    }
  }
}
