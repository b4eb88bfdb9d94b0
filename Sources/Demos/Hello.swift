// Lesson: `await` gives the thread back.
//
// In Python this is asyncio.run(main()), with `await asyncio.sleep(1)` between two prints. Here
// `EventLoop.run` makes the loop, runs the body on it until that ends, and returns what it returned. While
// the task sleeps, the loop waits in one system call, and would run any other task that is ready.
//
// `title`, `section`, `log`, `total` and `conclude` are these lessons' own (Shared/Stage.swift), and so is
// `Stage.run`: `EventLoop.run` with the clock that the command line asks for. In your program you `print`.
//
// Coming from Python, read these files like this:
//
//     { … }                        a lambda of any length; one expression alone is what it returns
//     { name in … }                a lambda with a parameter; one without a name is `$0`
//     run { … }                    the lambda is the last argument: run(lambda: …)
//     run { … } each: { … }        so are two: run(lambda: …, each=lambda: …)
//     try await sleep(…)           await sleep(…); each call that may throw is marked with `try`
//     throw Full()                 raise Full()
//     do { … } catch { … }         try: … except BaseException as error: …
//                                  (cancellations, too: throw those again)
//     catch is TimeoutError        except TimeoutError:
//     catch let e as SystemError   except OSError as e:
//     defer { … }                  finally: …
//     try? f()                     f(), or None where it throws
//     _ = f()                      f(), whose result nobody wants
//     Int?, nil                    int | None, None
//     if let x = a { … }           if (x := a) is not None: … – and so `while let`
//     a ?? b                       a if a is not None else b
//     guard c else { return }      if not c: return
//     x is Int                     isinstance(x, int)
//     for try await x in s         async for x in s
//     Result                       how something ended, as a value: .success(value) or .failure(error)
//     "\(name) ends"               f"{name} ends"
//
// `@MainActor` before a function puts it on the main thread, which is the loop's. Write it before each of
// yours that touches variables that others touch, too: the compiler checks that nobody reaches them from
// elsewhere. (Here nearly all have it, because `log` does.) Without it a function runs on whichever thread
// calls it; it may not touch the main actor's variables, and calls the main actor's functions with `await`.
//
// In the charts, `main` is the body of `run`, and `gather[0]` gather's first operation. Given a limit,
// gather has lanes: in each, operations run one after another. A plain task is an `async let` or a
// `Task { }`.

import EventLoop

@MainActor
func hello() throws {
    title("Hello, a second of sleep, world")
    try Stage.run {
        log("Hello …")
        try await sleep(for: .seconds(1))
        log("… world!")
    }
    conclude("An await is where a task lets others run: here there were none, so the thread slept.")
}
