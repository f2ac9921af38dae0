// Kafka's own producer, sending what annals sends: the same keys, headers and partitions, a transaction every so often.
// As ProducerPerformance does, it prepares what it can: of a record only the objects are made in the loop.
//
// Arguments: bootstrap, topic, records, partitions, bytes of a payload, milliseconds of a transaction, then the settings
// of the producer as NAME=VALUE, then `--`, then the headers as NAME=VALUE. Prints records a second.

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

class WithHeaders {
    static final int KEYS = 10_000;

    public static void main(String[] args) {
        String topic = args[1];
        long records = Long.parseLong(args[2]);
        int partitions = Integer.parseInt(args[3]);
        byte[] payload = new byte[Integer.parseInt(args[4])];
        Arrays.fill(payload, (byte) 'x');
        long transactionMs = Long.parseLong(args[5]);

        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("transactional.id", topic);
        int at = 6;
        for (; !args[at].equals("--"); at++) {
            settings.put(args[at].substring(0, args[at].indexOf('=')), args[at].substring(args[at].indexOf('=') + 1));
        }
        int count = args.length - at - 1;
        String[] names = new String[count];
        byte[][] values = new byte[count][];
        for (int n = 0; n < count; n++) {
            String header = args[at + 1 + n];
            names[n] = header.substring(0, header.indexOf('='));
            values[n] = header.substring(header.indexOf('=') + 1).getBytes(StandardCharsets.UTF_8);
        }
        byte[][] keys = new byte[KEYS][];
        int[] partitionOf = new int[KEYS];
        for (int n = 0; n < KEYS; n++) {
            keys[n] = String.format("%05d", n).getBytes(StandardCharsets.UTF_8);
            partitionOf[n] = Utils.toPositive(Utils.murmur2(keys[n])) % partitions;
        }

        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
            producer.initTransactions();
            long begun = System.nanoTime();
            long transactionBegun = 0;
            boolean open = false;
            for (long n = 0; n < records; n++) {
                if (!open) {
                    producer.beginTransaction();
                    transactionBegun = System.currentTimeMillis();
                    open = true;
                }
                RecordHeaders headers = new RecordHeaders();
                for (int h = 0; h < count; h++) {
                    headers.add(names[h], values[h]);
                }
                int key = (int) (n % KEYS);
                producer.send(new ProducerRecord<>(topic, partitionOf[key], keys[key], payload, headers), (sent, failed) -> {
                    if (failed != null) {
                        failed.printStackTrace();
                        Runtime.getRuntime().halt(1);
                    }
                });
                if (System.currentTimeMillis() - transactionBegun >= transactionMs) {
                    producer.commitTransaction();
                    open = false;
                }
            }
            if (open) {
                producer.commitTransaction();
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            System.out.printf("%.0f%n", records / seconds);
        }
    }
}
