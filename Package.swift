// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    // An async function runs where its caller runs, unless it says otherwise.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "EventLoop",
    products: [
        .library(name: "EventLoop", targets: ["EventLoop"]),
        // A trait for Swift Testing: tests on a loop of their own, in virtual time.
        .library(name: "EventLoopTesting", targets: ["EventLoopTesting"]),
        // For any language's FFI: libCEventLoop.so, plain functions.
        .library(name: "CEventLoop", type: .dynamic, targets: ["CEventLoop"]),
        // For C and Swift packages that want the reactor alone.
        .library(name: "CEventLoopStatic", type: .static, targets: ["CEventLoop"]),
    ],
    targets: [
        .target(name: "CEventLoop", exclude: ["Makefile", "abi.txt"]),
        // What a signal handler must do is not for Swift: another thread's backtrace.
        .target(name: "CBacktrace"),
        .target(name: "EventLoop", dependencies: ["CEventLoop", "CBacktrace"], swiftSettings: swiftSettings),
        .target(name: "EventLoopTesting", dependencies: ["EventLoop"], swiftSettings: swiftSettings),
        .executableTarget(name: "Demos", dependencies: ["EventLoop"], swiftSettings: swiftSettings),
        // Process mode takes over the executors of its process, so its cases run in processes of their own.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .target(
            name: "MainActorSample", dependencies: ["EventLoop"], path: "Tests/Samples/MainActorSample",
            swiftSettings: swiftSettings + [.defaultIsolation(MainActor.self)]),
        .target(
            name: "NonisolatedSample", dependencies: ["EventLoop"], path: "Tests/Samples/NonisolatedSample",
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "ProcessModeCases", dependencies: ["EventLoop", "MainActorSample", "NonisolatedSample"],
            path: "Tests/ProcessModeCases", swiftSettings: swiftSettings),
        .executableTarget(
            name: "AsyncMainCase", dependencies: ["EventLoop"], path: "Tests/AsyncMainCase",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "EventLoopTests",
            dependencies: ["EventLoop", "TestSupport", "ProcessModeCases", "AsyncMainCase"],
            swiftSettings: swiftSettings),
        // Runs the built executable; the dependency is what builds it first.
        .testTarget(
            name: "DemoTests", dependencies: ["Demos", "TestSupport"], swiftSettings: swiftSettings),
        // What the benchmarks compare with, in C, and the histogram that they measure with.
        .target(name: "CFloor", path: "Benchmarks/CFloor"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: ["EventLoop", "CFloor"],
            path: "Benchmarks/Benchmarks",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "CFloorTests",
            dependencies: ["CFloor"],
            path: "Benchmarks/CFloorTests",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EventLoopStreamTests", dependencies: ["EventLoop", "TestSupport"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "EventLoopTestingTests", dependencies: ["EventLoopTesting", "TestSupport"],
            swiftSettings: swiftSettings),
        // As a user's package has it.
        .executableTarget(
            name: "GuideProgram", dependencies: ["EventLoop"], path: "Tests/GuideProgram",
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
        // The documentation's code, which is checked against its articles.
        .testTarget(
            name: "GuideTests",
            dependencies: ["EventLoop", "EventLoopTesting", "GuideProgram", "TestSupport"],
            exclude: ["asyncio-names.txt"],
            swiftSettings: swiftSettings),
        // The C reactor's rules. Each runs in a process of its own, which the runner is; the Swift tests start it.
        .target(name: "CEventLoopCases", dependencies: ["CEventLoop"], path: "Tests/CEventLoopCases"),
        .executableTarget(
            name: "CEventLoopRunner", dependencies: ["CEventLoopCases"], path: "Tests/CEventLoopRunner"),
        .testTarget(
            name: "CEventLoopTests", dependencies: ["CEventLoopCases", "CEventLoopRunner"],
            swiftSettings: swiftSettings),
    ]
)
