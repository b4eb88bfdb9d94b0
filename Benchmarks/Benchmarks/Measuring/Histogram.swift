import CFloor

/// The floor's histogram, owned. One thread at a time records; that is the caller's care.
final class Histogram: @unchecked Sendable {
    let pointer: OpaquePointer = floor_histogram_create()

    deinit { floor_histogram_destroy(pointer) }

    func record(_ value: UInt64) { floor_histogram_record(pointer, value) }

    func figures(named name: String) -> Figures {
        var figures = Figures()
        figures["\(name)_p50_ns"] = Double(floor_histogram_percentile(pointer, 50))
        figures["\(name)_p99_ns"] = Double(floor_histogram_percentile(pointer, 99))
        figures["\(name)_max_ns"] = Double(floor_histogram_maximum(pointer))
        return figures
    }
}
